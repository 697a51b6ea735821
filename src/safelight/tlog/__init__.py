"""A transparency log's parts that need no database: the Merkle tree (RFC 9162), signed checkpoints and a witness.

Nothing here knows of Django, of the ledger's tables or of each other's secrets: the witness (:mod:`.witness`) sees
checkpoints and proofs, never an entry.
"""
