"""If this fails, the first person to search after an installation waits for the compiler."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from pathlib import Path
import numpy as np
from safelight.matching import DigestIndex, PdqIndex, warm_up, engines, sketch
from safelight.matching import _digest_kernel, _hamming_kernel, _sketch_kernel
warm_up()
names = ("permute", "build", "probe", "join", "scan_rows")
kernels = [_digest_kernel.find, _digest_kernel.confirm, _hamming_kernel.scan]
kernels += [getattr(_sketch_kernel, name) for name in names]
before = [len(kernel.signatures) for kernel in kernels]
assert min(before) >= 1
codes = np.random.default_rng(1).integers(0, 256, (300, 32), dtype=np.uint8)
engines.SMALL = sketch.JOIN_FROM = 100
index = PdqIndex(codes)
index.prepare()
index.save(Path(sys.argv[1]) / "pdq")
DigestIndex.build("sha256", codes).save(Path(sys.argv[1]) / "sha256")
codes.setflags(write=False)
for index in (PdqIndex(codes[:50]), PdqIndex(codes), index, PdqIndex.open(Path(sys.argv[1]) / "pdq")):
    index.query(codes[0].tobytes())
    index.query_batch(codes[:9], limit=2)
    index.query_batch(codes)
DigestIndex.open(Path(sys.argv[1]) / "sha256").lookup_batch(codes)
after = [len(kernel.signatures) for kernel in kernels]
assert after == before, (before, after)
"""


def test_no_kernel_is_left_to_compile_after_warming_up(tmp_path) -> None:  # type: ignore[no-untyped-def]
    command = [sys.executable, "-c", CODE, str(tmp_path)]
    done = subprocess.run(command, env={"PYTHONPATH": "src"}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
