#!/usr/bin/env bash
# Set up .venv from the locked requirements. A second run with the same lock is instant.
# Usage: scripts/install.sh base|test
set -euo pipefail
cd "$(dirname "$0")/.."

what="${1:-base}"
case "$what" in
    base | test) ;;
    *) echo "Usage: scripts/install.sh base|test" >&2; exit 2 ;;
esac
lock="requirements/$what.txt"
stamp=".venv/.installed-$what"
python="$(scripts/find-python.sh)"
# What a stamp must hold to count: the lock, the package's own metadata, and where this checkout is.
state="$(cat "$lock" pyproject.toml <(pwd) scripts/install.sh | sha256sum | cut -d' ' -f1)"
if [[ -x .venv/bin/python && -f "$stamp" && "$(cat "$stamp")" == "$state" ]]; then
    exit 0
fi

started=$SECONDS
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    echo "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi
rm -f .venv/.installed-*
pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet)
echo "Installing what $lock names ($(grep -c '==' "$lock") packages, each with its hash); the first time takes minutes"
"${pip[@]}" install --require-hashes -r "$lock"
"${pip[@]}" install --no-deps --no-build-isolation -e .
echo "Compiling the numeric kernels"
.venv/bin/python scripts/warm-kernels
# test.txt holds all of base.txt at the same versions, so it counts for both.
echo "$state" >"$stamp"
if [[ "$what" == test ]]; then
    cat requirements/base.txt pyproject.toml <(pwd) scripts/install.sh | sha256sum | cut -d' ' -f1 >.venv/.installed-base
fi
echo "Installed in $((SECONDS - started)) s"
