"""The pool of picture workers, seen from the pipeline: bytes in, PDQ out; a crash or a hang costs one picture."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from safelight.triage.sandbox import Sandbox
from safelight.triage.settings import MIB, TriageSettings
from safelight.triage.wire import Child, ChildLost

_WARM_UP_SECONDS = 180.0
#: How the mode of a hash begins that was not made from all pixels.
REDUCED = "reduced size"
#: Bits by which such a hash may differ from the full one: 12 were met on photographs; this is twice as many.
REDUCED_MARGIN = 24


@dataclass(frozen=True, slots=True)
class PictureHash:
    """What a worker said of one picture: `pdq` (hex) and `quality`, or `problem`; not `tried` when no worker began.

    `variants`, where they were asked for: how each was made (`safelight.matching.variants`) and its hex.
    """

    width: int | None = None
    height: int | None = None
    pdq: str | None = None
    quality: int | None = None
    mode: str = ""
    problem: str = ""
    tried: bool = True
    variants: tuple[tuple[str, str], ...] = ()


class PicturePool:
    """Workers that start when the first picture comes, and are started anew when they are lost."""

    def __init__(self, settings: TriageSettings, *, module: str = "safelight.triage.worker") -> None:
        self._settings = settings
        self._module = module
        self._count = settings.picture_workers or min(4, os.cpu_count() or 1)
        self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="pictures")
        # Bytes of pictures that wait are held in memory, so few may wait.
        self._room = threading.BoundedSemaphore(self._count * 3)
        self._own = threading.local()
        self._children: list[Child] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(
        self, body: bytes, kind: str, *, full: bool = False, turned: bool = False, trimmed: bool = False
    ) -> Future[PictureHash]:
        """Hash a picture, with its variants if asked for; waits while too many are waiting already.

        `full` overrules the setting `reduced`.
        """
        self._room.acquire()
        request = {
            "type": kind, "reduced": self._settings.reduced and not full, "turned": turned, "trimmed": trimmed,
        }  # fmt: skip
        future = self._threads.submit(self._hash, body, request)
        future.add_done_callback(lambda _: self._room.release())
        return future

    def _hash(self, body: bytes, request: dict[str, Any]) -> PictureHash:
        try:
            child = self._child()
        except ChildLost as lost:
            return PictureHash(problem=f"its decoder could not be started ({lost.what})", tried=False)
        try:
            seconds = self._settings.picture_seconds + self._settings.item_seconds_per_mib * len(body) / MIB
            child.send(request, body, seconds=seconds)
            answer = child.receive(seconds)
            if answer is None:
                child.hang()
                limit = f"{seconds:.3g} seconds"
                return PictureHash(problem=f"its decoder did not end within {limit} and was stopped")
            return _checked(answer[0])
        except ChildLost as lost:
            if lost.hung:
                return PictureHash(problem="its decoder did not answer and was stopped")
            return PictureHash(problem=f"its decoder crashed ({lost.what})")

    def _child(self) -> Child:
        child: Child | None = getattr(self._own, "child", None)
        if child is None:
            arguments = (self._settings.picture_memory, self._settings.max_pixels, self._settings.picture_seconds)
            child = self._own.child = Child(self._module, *map(str, arguments), sandbox=Sandbox(self._settings.sandbox))
            with self._lock:
                self._children.append(child)
        if not child.running:
            if self._closed:
                raise ChildLost("the run is over", hung=False)
            child.start()
            ready = child.receive(_WARM_UP_SECONDS)
            if ready is None or not ready[0].get("ready"):
                raise child.hang()
        return child

    def close(self) -> None:
        """End the workers; pictures that wait are dropped."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads.shutdown(wait=True)
        with self._lock:
            for child in self._children:
                child.stop()


def _checked(answer: Mapping[str, Any]) -> PictureHash:
    """An answer, taken apart with care: the worker has read hostile bytes."""
    problem = answer.get("problem")
    width, height, quality, code = (answer.get(k) for k in ("width", "height", "quality", "pdq"))
    numbers = (width, height, quality)
    if any(n is not None and (not isinstance(n, int) or n < 0) for n in numbers):
        return PictureHash(problem="its decoder gave an answer that makes no sense")
    if isinstance(problem, str):
        return PictureHash(width, height, problem=problem[:400])
    if not (_is_code(code) and quality is not None):
        return PictureHash(problem="its decoder gave an answer that makes no sense")
    variants = tuple(
        (str(how)[:40], str(more)) for how, more in list(answer.get("variants") or ())[:15] if _is_code(more)
    )
    return PictureHash(width, height, code, min(quality, 100), str(answer.get("mode", ""))[:40], variants=variants)


def _is_code(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")
