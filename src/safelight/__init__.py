"""Safelight: from a referral to a safe child.

The engines are libraries of their own: start with :mod:`safelight.triage`, :mod:`safelight.matching` or
:mod:`safelight.standards`. The case work is a Django project under :mod:`safelight.casework` and
:mod:`safelight.web`.
"""

__version__ = "0.1.0"
