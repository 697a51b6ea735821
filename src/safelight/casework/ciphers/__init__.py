"""Encrypted fields: the key ring, the cipher, the field types, and what goes over all rows (docs/decisions/0047)."""
