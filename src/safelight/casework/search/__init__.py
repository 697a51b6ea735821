"""Finding things: one box over references, names, addresses, devices, digests and free text."""
