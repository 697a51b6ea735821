#!/usr/bin/env python3
"""Fuzz our own parsers: `make fuzz SECONDS=60`, or `python fuzz/run.py udf luks --seconds 600`.

Each target runs in a process of its own (atheris: libFuzzer, guided by the branches of our code), from the small
corpus in fuzz/corpus/TARGET and from what earlier runs kept in --keep. A finding is written beside the corpus as
`crash-...`, the run of that target ends, and the exit code is 1; mend it and leave the file in the corpus: the tests
run every file of every corpus. `--write` puts the table into docs/validation/fuzzing.md.
"""

# ruff: noqa: S603, S607
from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
CORPUS = ROOT / "fuzz/corpus"
PAGE = ROOT / "docs/validation/fuzzing.md"
SECONDS_FOR_ONE, MEMORY_MIB = 60, 2048
COLUMNS = "| parser | inputs tried | seconds | edges | inputs kept | findings |"


def fuzz(name: str, options: list[str]) -> None:
    """In a process of its own: never returns."""
    import atheris

    if name == "referrals":
        # Its words are those of the models.
        os.environ |= {"SAFELIGHT_TESTING": "1", "SAFELIGHT_DATA": tempfile.mkdtemp(prefix="fuzz-data-")}
        os.environ["DJANGO_SETTINGS_MODULE"] = "safelight.web.settings"
        import django

        django.setup()
    # Compiled code cannot be instrumented; NUMBA_BOUNDSCHECK finds what goes behind an end there.
    compiled = [
        ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        for path in (ROOT / "src/safelight").rglob("_*.py")
        if "numba" in path.read_text(encoding="utf-8")
    ]
    with atheris.instrument_imports(include=["safelight"], exclude=compiled, enable_loader_override=False):
        from fuzz.targets import TARGETS

        chosen = TARGETS[name]

        def one(data: bytes) -> None:
            try:
                chosen.run(data)
            except chosen.allowed:
                return

        # What a target imports when it first runs is instrumented too.
        one(b"")
        for seed in sorted((CORPUS / name).glob("*"))[:3]:
            one(seed.read_bytes())
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def run(name: str, seconds: int, keep: Path) -> tuple[str, bool]:
    """One target; its row of the table, and whether nothing was found."""
    from fuzz.targets import TARGETS

    grown, seeds = keep / name, CORPUS / name
    grown.mkdir(parents=True, exist_ok=True)
    count, edges, took, failed, found = 0, "?", 0.0, False, []
    # Again, as long as it was the fuzzer itself or the machine that ended it (`not_ours`).
    while took < seconds * 0.9 and not (found or failed):
        with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as folder:
            options = [
                f"-max_total_time={max(10, round(seconds - took))}", f"-max_len={TARGETS[name].most}",
                f"-timeout={SECONDS_FOR_ONE}", f"-rss_limit_mb={MEMORY_MIB}", f"-artifact_prefix={folder}/",
                "-print_final_stats=1", "-verbosity=1", str(grown), str(seeds),
            ]  # fmt: skip
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, __file__, "--one", name, "--", *options], capture_output=True, text=True, check=False,
                errors="replace", env={**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": f"{keep}/kernels"},
            )  # fmt: skip
            took += time.monotonic() - began
            said = done.stdout + done.stderr
            artifacts = sorted(Path(folder).iterdir())
            found = [path for path in artifacts if not not_ours(name, path)]
            failed = bool(done.returncode) and not artifacts
            for path in found:
                shutil.copy(path, seeds / path.name)
                print(f"   {path.name} -> {seeds.relative_to(ROOT)}")
        if found or failed:
            print("\n".join(line for line in said.splitlines() if not line.startswith(("#", "INFO")))[-3000:])
        tried = re.search(r"number_of_executed_units: (\d+)", said) or re.search(r"Done (\d+) runs", said)
        count += int(tried[1]) if tried else 0
        edges = (re.findall(r"\bcov: (\d+)", said) or [edges])[-1]
        if done.returncode == 0:
            break
    kept = len(list(grown.iterdir())) + len(list(seeds.iterdir()))
    words = ", ".join(path.name[:14] for path in found) or ("its process failed" if failed else "none")
    return f"| {name} | {count:,} | {took:,.0f} | {edges} | {kept} | {words} |", words == "none"


def not_ours(name: str, artifact: Path) -> bool:
    """Whether an input that the fuzzer took for a hang or for too much memory is neither when it is read alone.

    On a machine that was stopped for a while any input is slow; and atheris keeps what a comparison in instrumented
    code returns, so that a parser that compares arrays fills the memory of the fuzzer after half a million inputs.
    """
    if not artifact.name.startswith(("timeout-", "slow-unit-", "oom-")):
        return False
    code = (
        "import resource, sys; from pathlib import Path; from fuzz.targets import TARGETS as T\n"
        "t = T[sys.argv[1]]\ntry: t.run(Path(sys.argv[2]).read_bytes())\nexcept t.allowed: pass\n"
        "sys.exit(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > int(sys.argv[3]) << 10)"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, name, str(artifact), str(MEMORY_MIB)], env=environment,
            timeout=SECONDS_FOR_ONE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> int:
    if "--one" in sys.argv:
        at = sys.argv.index("--one")
        fuzz(sys.argv[at + 1], sys.argv[sys.argv.index("--") + 1 :])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", type=Path, default=ROOT / "build/fuzz", help="where a corpus grows from run to run")
    parser.add_argument("--write", action="store_true", help="add the table to docs/validation/fuzzing.md")
    asked = parser.parse_args()
    from fuzz.targets import TARGETS

    unknown = set(asked.targets) - set(TARGETS)
    if unknown:
        print(f"There is no target {', '.join(sorted(unknown))}. There are: {', '.join(TARGETS)}.", file=sys.stderr)
        return 2
    rows, well = [], True
    for name in asked.targets or TARGETS:
        print(f"== {name}", flush=True)
        row, clean = run(name, asked.seconds, asked.keep)
        print(f"   {row}", flush=True)
        rows.append(row)
        well &= clean
    if asked.write:
        write(rows, asked.seconds)
    return 0 if well else 1


def write(rows: list[str], seconds: int) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    text = [
        "", f"## {datetime.now(UTC):%Y-%m-%d}, `fuzz/run.py --seconds {seconds}`, commit {commit}", "",
        f"Python {platform.python_version()}, libFuzzer through atheris; one input has {SECONDS_FOR_ONE} s and "
        f"{MEMORY_MIB:,} MiB.", "", COLUMNS, "|---|---|---|---|---|---|", *rows, "",
    ]  # fmt: skip
    with PAGE.open("a", encoding="utf-8") as page:
        page.write("\n".join(text))


if __name__ == "__main__":
    sys.exit(main())
