"""The validation pack for the Forensic Science Regulator's Code: `make validation`, or `python -m validation`.

Every figure comes from a run on the machine that makes the pack, over material that is made on the spot from numbers
that the pack names; another laboratory runs the same command and compares the digest of the results.
"""
