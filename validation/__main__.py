"""`python -m validation [--size small|full] [--out FOLDER]`: run the trials and write the pack."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

LIBRARIES = (
    "pytsk3", "numpy", "numba", "pillow", "simplejpeg", "pillow-heif", "xxhash", "blake3", "py7zr", "libewf-python",
    "libfsapfs-python", "libfsxfs-python", "libqcow-python", "libvhdi-python", "libvmdk-python", "libmodi-python",
)  # fmt: skip


def command(*words: str) -> str:
    """What a program says of its version; empty when it is not here."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (done.stdout or done.stderr).strip().splitlines()[0] if done.stdout or done.stderr else ""


def environment() -> dict[str, Any]:
    """What the results hang on: the tool, its libraries, the machine, the tools that it is held against."""
    release = platform.freedesktop_os_release() if hasattr(platform, "freedesktop_os_release") else {}
    return {
        "safelight": version("safelight"),
        "commit": command("git", "-C", str(ROOT), "rev-parse", "HEAD"),
        "changed": bool(command("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "system": f"{release.get('PRETTY_NAME', platform.system())}, Linux {platform.release()}",
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "against": {"fls": command("fls", "-V"), "hashdeep": command("hashdeep", "-V")},
    }


def results_digest(trials: list[dict[str, Any]]) -> str:
    """What two laboratories compare: the same material and the same counts, whatever machine and day."""
    from validation.trials import digest_of

    body = json.dumps(trials, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return digest_of([re.sub(r"\s+", " ", body).encode()])


def make(size_name: str, out: Path) -> dict[str, Any]:
    """Run every trial and write pack.json, pack.html and pack.pdf."""
    from safelight.triage.exports.paper import on_paper
    from validation import page, trials

    size = trials.SIZES[size_name]
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="safelight-validation-") as name:
        work = Path(name)
        ran = [*trials.devices(work, size), trials.carving(work, size)]
    ran += [trials.likeness(size), trials.first_answer(size), trials.long_list(size)]
    rows = [trial.as_json() for trial in ran]
    pack = {
        "format": "safelight-validation/1",
        "made": began.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - began).total_seconds()),
        "size": size_name,
        "command": f"python -m validation --size {size_name}",
        "environment": environment(),
        "trials": rows,
        "results_sha256": results_digest(rows),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "pack.json").write_text(json.dumps(pack, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = page.render(pack)
    (out / "pack.html").write_text(text, encoding="utf-8")
    (out / "pack.pdf").write_bytes(on_paper(text))
    return pack


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=("small", "full"), default="full")
    parser.add_argument("--out", type=Path, default=ROOT / "build/validation")
    asked = parser.parse_args()
    pack = make(asked.size, asked.out)
    for trial in pack["trials"]:
        for row in trial["measures"]:
            kind = "wrong" if row["error"] else "right"
            interval = f"{row['share']:.4f} ({row['low']:.4f} to {row['high']:.4f})" if row["n"] else "not tried"
            print(f"{trial['name']:<34} {row['what']:<64} {row['k']:>7,} of {row['n']:>7,} {kind}  {interval}")
    print(f"pack.json, pack.html and pack.pdf in {asked.out}; SHA-256 of the results {pack['results_sha256']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
