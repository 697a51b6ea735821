#!/usr/bin/env bash
# Print the Python 3.11 to use, or say how to get one.
set -euo pipefail
for name in "${PYTHON:-python3.11}" python3; do
    if "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
done
echo "Safelight needs Python 3.11: neither python3.11 nor python3 on this machine is one." >&2
echo "On Debian 12: apt-get install python3 python3-venv. Or name one: make PYTHON=/path/to/python3.11 ..." >&2
exit 1
