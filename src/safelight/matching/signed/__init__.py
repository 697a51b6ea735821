"""Signed distribution of hash lists with The Update Framework (python-tuf): `publish` for who hands lists out, `fetch`
for who takes them in.

A publication is a folder of plain files (`metadata/` and `targets/`), served by any web server or carried on a medium.
Every role (root, targets, snapshot, timestamp) belongs to the same holders of keys and needs the same number of their
signatures: no single person and no server can change, remove, mix or hold back a list unnoticed. Source: TUF
specification 1.0, https://theupdateframework.github.io/specification/latest/.
"""

from __future__ import annotations

import logging

# It logs each holder who has not signed yet, which is the usual state of things here.
logging.getLogger("tuf").setLevel(logging.WARNING)
