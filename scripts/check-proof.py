#!/usr/bin/env python3
"""Check a proof of one ledger entry: python3 -I check-proof.py PROOF.json. Needs Python 3.8 and nothing else.

It shows that the entry is in the tree whose root the checkpoint names. Who signed that checkpoint is checked with
OpenSSL 3, as the printed commands say. Get the keys from the witness and the authority themselves, not from here."""

# ruff: noqa: T201
import base64
import hashlib
import json
import pathlib
import sys


def write(name, data):
    pathlib.Path(name).write_bytes(data)
    return name


proof = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
index, size, text = proof["leaf_index"], proof["tree_size"], proof["checkpoint"].encode()
lines = proof["checkpoint"].split("\n")
node, last, made = index, size - 1, hashlib.sha256(b"\0" + proof["entry"].encode()).digest()
for step in map(bytes.fromhex, proof["path"]):  # RFC 9162, section 2.1.3.2
    if last == 0:
        sys.exit("DOES NOT HOLD: the path is too long.")
    right = node & 1 or node == last
    made = hashlib.sha256(b"\1" + (step + made if right else made + step)).digest()
    while right and node and not node & 1:
        node, last = node >> 1, last >> 1
    node, last = node >> 1, last >> 1
if last or not 0 <= index < size or lines[1] != str(size) or base64.b64decode(lines[2]) != made:
    sys.exit("DOES NOT HOLD: the path does not lead from the entry to the root of the checkpoint.")
print(
    f"HOLDS: leaf {index} of {size} of {lines[0]}, {lines[3]}, is this entry:\n{proof['entry']}\nNow check who says so:"
)
keys = {key.split("+")[0]: base64.b64decode(key.split("+", 2)[2]) for key in proof["keys"]}
for number, line in enumerate(proof["signatures"]):
    name, raw = line.split(" ")[1], base64.b64decode(line.split(" ")[2])[4:]
    key, said = keys.get(name, b"\1"), text
    if key[0] == 4:  # a witness signs the time and the checkpoint
        said, raw = b"cosignature/v1\ntime %d\n%s" % (int.from_bytes(raw[:8], "big"), text), raw[8:]
    der = write(f"key{number}.der", bytes.fromhex("302a300506032b6570032100") + key[1:])
    files = f"-in {write(f'signed{number}', said)} -sigfile {write(f'signature{number}', raw)}"
    print(f"{name}: openssl pkeyutl -verify -pubin -keyform DER -inkey {der} -rawin {files}")
for number, stamp in enumerate(proof["timestamps"]):
    files = f"-data {write('checkpoint', text)} -in {write(f'stamp{number}.tsr', base64.b64decode(stamp))}"
    print(f"time: openssl ts -verify {files} -CAfile AUTHORITY.pem")
