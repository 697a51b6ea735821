#!/usr/bin/env bash
# Check that the Debian packages for a purpose are there, and install what is missing.
# Usage: scripts/system-packages.sh demo|test
set -euo pipefail

purpose="${1:-}"
case "$purpose" in
    demo | test) ;;
    *) echo "Usage: scripts/system-packages.sh demo|test" >&2; exit 2 ;;
esac

# An ordinary user's PATH often leaves these out, and mkfs.vfat and its like are there.
PATH="$PATH:/usr/sbin:/sbin"
python="$("$(dirname "$0")/find-python.sh")"

missing=()
need() { # need PACKAGE COMMAND...: the package is missing unless the command succeeds
    local package="$1"
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb'; }
has_library() { PATH="$PATH:/sbin:/usr/sbin" ldconfig -p | grep -q "$1"; }
has_faketime() { compgen -G '/usr/lib/*/faketime/libfaketime.so.1'; }
has_liberation() { compgen -G '/usr/share/fonts/truetype/liberation*/*'; }

# The demo writes devices with real file systems.
need dosfstools command -v mkfs.vfat
need mtools command -v mcopy
need ntfs-3g command -v mkntfs
need e2fsprogs command -v mke2fs
need python3-venv "$python" -c 'import ensurepip, venv'
# Paper: what WeasyPrint draws with, and letters to draw.
need libpango-1.0-0 has_library libpango-1.0.so.0
need libpangoft2-1.0-0 has_library libpangoft2-1.0.so.0
need libharfbuzz-subset0 has_library libharfbuzz-subset.so.0
need fonts-liberation has_liberation # the same letters on every machine
# The parsers of hostile evidence are shut in.
need bubblewrap command -v bwrap
need libseccomp2 has_library libseccomp.so.2
if [[ "$purpose" == test ]]; then
    need postgresql has_postgres        # the same suite on the second database
    need chromium command -v chromium   # the pages as people meet them
    need sleuthkit command -v fls       # a second opinion on what is on a device
    need ewf-tools command -v ewfacquire # E01 images written by another program
    need cryptsetup-bin command -v cryptsetup # encrypted volumes to open
    need lvm2 command -v lvm            # says whether the tests' volume groups are what it would write
    need qemu-utils command -v qemu-img # virtual disks with parents, and what their own program reads in them
    need genisoimage command -v genisoimage # ISO 9660 and UDF discs
    need udftools command -v mkudffs    # UDF volumes
    need 7zip command -v 7zz            # a second opinion on UDF
    need apfsprogs command -v mkapfs    # APFS containers
    need fdisk command -v sfdisk        # volume tables
    need exfatprogs command -v mkfs.exfat # exFAT, filled by the tests themselves
    need xfsprogs command -v mkfs.xfs   # XFS with content, without mounting
    need libfaketime has_faketime       # a machine whose time jumps
    need strace command -v strace       # a disk that refuses one write after the other
    need nginx-light command -v nginx   # the proxy with TLS of deploy/, before the real server
    need openssl command -v openssl     # time-stamps (RFC 3161) by an authority of the tests' own, and a stranger's check
fi

if ((${#missing[@]} == 0)); then
    exit 0
fi
echo "Debian packages that the $purpose needs and this machine lacks: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
    echo "There is no apt-get here. Install the equivalents of these packages by hand, then try again." >&2
    exit 1
fi
if [[ "$(id -u)" == 0 ]]; then
    as_root=()
elif command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; then
    as_root=(sudo)
else
    echo "Installing them needs root. Ask an administrator to run: apt-get install ${missing[*]}" >&2
    exit 1
fi
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
echo "Installing them ..."
if ! { "${as_root[@]}" apt-get update -q &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    echo "Installing ${missing[*]} failed (above: the end of what apt-get said)." >&2
    exit 1
fi
echo "Installed: ${missing[*]}"
