#!/usr/bin/env bash
# Write requirements/base.txt and test.txt anew: exact versions and hashes, no index or host addresses.
# Usage: scripts/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v uv >/dev/null; then
    echo "make lock needs uv (pip install uv)." >&2
    exit 1
fi
options=(--quiet --generate-hashes --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links "$@")
uv pip compile "${options[@]}" requirements/base.in -o requirements/base.txt
uv pip compile "${options[@]}" -c requirements/base.txt requirements/test.in -o requirements/test.txt
uv pip compile "${options[@]}" -c requirements/base.txt requirements/spark.in -o requirements/spark.txt
uv pip compile "${options[@]}" -c requirements/test.txt requirements/fuzz.in -o requirements/fuzz.txt
uv pip compile "${options[@]}" requirements/supply.in -o requirements/supply.txt
if grep -nE 'https?://|--(extra-)?index-url|--find-links|file:' requirements/*.txt; then
    echo "The lines above name an address; they must not be committed." >&2
    exit 1
fi
echo "Locked: $(grep -c '==' requirements/base.txt) packages in base.txt, $(grep -c '==' requirements/test.txt) in test.txt"
