"""The process that parses one device, seen from the pipeline: started, asked, watched, and started again when lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.answers import Opened
from safelight.triage.blockruns import Run
from safelight.triage.codec import decode
from safelight.triage.model import UnreadPart
from safelight.triage.sandbox import Confinement, Sandbox, real_place
from safelight.triage.settings import MIB, TriageSettings
from safelight.triage.wire import Child, ChildLost

_SLICE = 0.25
_MOST_CRASHES = 200


class Stopped(Exception):
    """The run was asked to stop."""


class DeviceChild:
    """The child of one device at a time; what it is asked for is `device_reader`'s business."""

    def __init__(
        self, settings: TriageSettings, should_stop: Callable[[], bool], *, module: str = "safelight.triage.reader"
    ) -> None:
        self.settings = settings
        self.should_stop = should_stop
        self._child = Child(module, str(settings.reader_memory))
        self._request: dict[str, Any] = {}
        self._skip: dict[str, str] = {}
        self._crashes = 0
        self._media_size = 0
        self._thin = False
        self._identity: dict[str, str] | None = None
        self.on_tick: Callable[[int], None] = lambda done: None
        self._fresh = True
        # How far the chunk is, in bytes of the media or of files, whichever it has to go through.
        self.bytes_done = 0
        # What the pass met of the block set, and where it could not look.
        self.runs: list[Run] = []
        self.blocks_unread: list[UnreadPart] = []

    # -- the wire ----------------------------------------------------------------------------------------------------

    def _receive(self, size: int | None = None) -> tuple[dict[str, Any], bytes]:
        """The next answer that is not a sign of life.

        Args:
            size: bytes that the child must go through for it, where known; signs of life do not help it then.

        Raises:
            Stopped, ChildLost
        """
        settings = self.settings
        deadline = monotonic() + settings.stall_seconds
        end = None
        if size is not None:
            end = monotonic() + settings.item_seconds + settings.item_seconds_per_mib * size / MIB
        while True:
            if self.should_stop():
                self._child.stop()
                raise Stopped
            frame = self._child.receive(_SLICE)
            if end is not None and monotonic() > end:
                raise self._child.hang()
            if frame is None:
                if monotonic() > deadline:
                    raise self._child.hang()
                continue
            if "tick" not in frame[0]:
                return frame
            deadline = monotonic() + self.settings.stall_seconds
            self.on_tick(int(frame[0]["tick"]))

    def _ask(self, request: dict[str, Any], name: str) -> dict[str, Any]:
        """What the answer says under `name`.

        Raises:
            EvidenceError: the child said no, was lost, or answered something else.
        """
        self._child.send(request)
        answer, _ = self._receive()
        if "error" in answer:
            raise EvidenceError(str(answer["error"]), fix=str(answer.get("fix", "")))
        found = answer.get(name)
        if not isinstance(found, dict):
            self._child.stop()
            raise EvidenceError("the process that reads the image gave an answer that makes no sense")
        return found

    def close(self) -> None:
        """End the child."""
        self._child.stop()

    # -- opening -----------------------------------------------------------------------------------------------------

    def open(self, paths: Sequence[Path]) -> Opened:
        """Open a device; a volume whose parser crashes is left out and named.

        Raises:
            EvidenceError: it is no image, or cannot be opened.
        """
        self._skip.clear()
        self._crashes = 0
        self._identity = None
        self.runs, self.blocks_unread = [], []
        self._request = {"do": "open", "paths": [str(real_place(p)) for p in paths], "gaps": self.settings.check_gaps}
        # Only their places cross over; the keys themselves are read by the child, and kept by no one.
        self._request["carve"] = self.settings.carve and self.settings.deleted
        self._request["keys"] = [str(real_place(Path(k))) for k in self.settings.keys]
        self._shut_in(paths)
        return self._open(gaps=True)

    def _shut_in(self, paths: Sequence[Path]) -> None:
        """The child may see this device, the keys and the block set; one that may see anything else is ended."""
        also = [
            *map(Path, self.settings.keys),
            *([Path(self.settings.block_set)] if self.settings.block_set else ()),
        ]
        wanted = Sandbox.around(self.settings.sandbox, [*paths, *also])
        if self._child.sandbox != wanted:
            self._child.stop()
            self._child.sandbox = wanted

    @property
    def confinement(self) -> Confinement:
        """How the process that parses the device is shut in."""
        return self._child.confinement or Confinement()

    def _open(self, *, gaps: bool) -> Opened:
        while True:
            volume: int | None = None
            try:
                self._child.send({**self._request, "skip": self._skip, "gaps": self._request["gaps"] and gaps})
                while True:
                    answer, _ = self._receive()
                    if "volume" not in answer:
                        break
                    volume = int(answer["volume"])
            except ChildLost as lost:
                if volume is None or str(volume) in self._skip:
                    name = Path(str(self._request["paths"][0]))
                    raise EvidenceError(
                        f"{name} cannot be opened: the process that parses it was lost ({lost.what}).",
                        fix="The image is damaged or made to do harm; acquire the device again.",
                    ) from None
                self._skip[str(volume)] = f"the process that opens its file system was lost ({lost.what})"
                continue
            if "error" in answer:
                raise EvidenceError(str(answer["error"]), fix=str(answer.get("fix", "")))
            opened = decode(Opened, answer["opened"])
            self._media_size, self._thin = opened.size, opened.thin
            return opened

    def _reopen(self) -> bool:
        self._crashes += 1
        if self._crashes > _MOST_CRASHES:
            return False
        try:
            self._open(gaps=False)
        except EvidenceError:
            return False
        return True
