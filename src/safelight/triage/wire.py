"""Talking to child processes that handle hostile bytes: framed JSON and bytes over pipes, with deadlines.

A frame is two big-endian 32-bit lengths (JSON, payload), the JSON, the payload. No pickle: a child that has been taken
over must not be able to make its parent run anything.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, BinaryIO

from safelight.errors import EvidenceError
from safelight.triage.sandbox import Confinement, Sandbox, SandboxError, confine

_HEAD = struct.Struct(">II")
_MAX_JSON = 64 << 20
_PAYLOAD = 1 << 30
_SOURCE = Path(__file__).resolve().parents[2]


class ChildLost(EvidenceError):
    """A child process died or fell silent. `hung` tells which."""

    def __init__(self, what: str, *, hung: bool) -> None:
        super().__init__(what)
        self.hung = hung


class Child:
    """A child process running `python -m module` in a sandbox, spoken to in frames.

    Its first frame says how it is shut in (`limit_self` sends it); a child that does not say so, or is less shut in
    than was asked, is ended before it is given anything to parse.
    """

    def __init__(self, module: str, *arguments: str, sandbox: Sandbox | None = None) -> None:
        self._module = module
        self._arguments = arguments
        self.sandbox = sandbox or Sandbox()
        #: How the present process, or the last one, is shut in; None until it has said so.
        self.confinement: Confinement | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = bytearray()
        self._errors: BinaryIO | None = None
        self._selector: selectors.DefaultSelector | None = None
        self._wrapped = False

    @property
    def running(self) -> bool:
        """Whether a process is there."""
        return self._process is not None

    @property
    def worker(self) -> int:
        """Process id of the worker itself, which bubblewrap stands before; 0 when none is running."""
        return 0 if self._process is None else self._worker_of(self._process.pid)

    def _worker_of(self, pid: int) -> int:
        while self._wrapped:
            try:
                below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except OSError:
                return 0
            if not below:
                break
            pid = int(below[0])
        return pid

    def _command(self) -> list[str]:
        return [sys.executable, "-P", "-s", "-m", self._module, *self._arguments]

    def start(self) -> None:
        """Start the process, with an environment that holds nothing of ours but where to find the program."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        environment = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONPATH": str(_SOURCE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "NUMBA_NUM_THREADS": "1",
        }
        for name in ("NUMBA_CACHE_DIR", "HOME"):
            if name in os.environ:
                environment[name] = os.environ[name]
        command, environment = self.sandbox.wrap(self._command(), environment)
        self.confinement = None
        self._wrapped = command[0] != sys.executable
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            close_fds=True,
            start_new_session=True,  # Ctrl-C is for the parent to handle.
        )
        assert process.stdin is not None and process.stdout is not None
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        self._process = process
        self._buffer.clear()
        self._selector = selectors.DefaultSelector()
        self._selector.register(process.stdout, selectors.EVENT_READ)

    def send(self, message: dict[str, Any], payload: bytes = b"", *, seconds: float = 60.0) -> None:
        """Send a frame, taking in what the child says meanwhile.

        Raises:
            ChildLost: the child is gone, or did not take the frame in time.
        """
        if self._process is None:
            self.start()
        assert self._process is not None and self._process.stdin is not None and self._selector is not None
        body = json.dumps(message, separators=(",", ":")).encode()
        stdin = self._process.stdin
        deadline = time.monotonic() + seconds
        self._selector.register(stdin, selectors.EVENT_WRITE)
        try:
            for piece in (_HEAD.pack(len(body), len(payload)) + body, payload):
                rest = memoryview(piece)
                while rest:
                    left = deadline - time.monotonic()
                    events = self._selector.select(max(left, 0)) if left > 0 else []
                    if not events:
                        raise self._lost(hung=True)
                    for key, _ in events:
                        if key.fileobj is stdin:
                            try:
                                rest = rest[os.write(stdin.fileno(), rest[: 1 << 20]) :]
                            except BlockingIOError:
                                continue
                            except OSError:
                                raise self._lost(hung=False) from None
                        elif not self._take_in():
                            raise self._lost(hung=False)
        finally:
            if self._selector is not None:
                self._selector.unregister(stdin)

    def receive(self, seconds: float) -> tuple[dict[str, Any], bytes] | None:
        """The next frame, or None when none came within `seconds`.

        Raises:
            ChildLost: the child is gone, or said something that is not a frame.
        """
        assert self._selector is not None, "receive before send"
        deadline = time.monotonic() + seconds
        while True:
            frame = self._cut()
            if frame is not None:
                return frame
            left = deadline - time.monotonic()
            if left <= 0 or not self._selector.select(left):
                return None
            if not self._take_in():
                frame = self._cut()
                if frame is not None:
                    return frame
                raise self._lost(hung=False)

    def _take_in(self) -> bool:
        assert self._process is not None and self._process.stdout is not None
        try:
            data = os.read(self._process.stdout.fileno(), 1 << 20)
        except BlockingIOError:
            return True
        self._buffer += data
        return bool(data)

    def _cut(self) -> tuple[dict[str, Any], bytes] | None:
        if len(self._buffer) < _HEAD.size:
            return None
        json_size, payload_size = _HEAD.unpack_from(self._buffer)
        if json_size > _MAX_JSON or payload_size > _PAYLOAD:
            raise self._lost(hung=False)
        total = _HEAD.size + json_size + payload_size
        if len(self._buffer) < total:
            return None
        view = memoryview(self._buffer)
        text, payload = bytes(view[_HEAD.size : _HEAD.size + json_size]), bytes(view[_HEAD.size + json_size : total])
        view.release()
        del self._buffer[:total]
        try:
            message = json.loads(text)
        except ValueError:
            raise self._lost(hung=False) from None
        if not isinstance(message, dict):
            raise self._lost(hung=False)
        if self.confinement is None:
            self._shut_in(message)
            return self._cut()
        return message, payload

    def _shut_in(self, message: dict[str, Any]) -> None:
        """Take the child's word of how it is shut in: it has not yet seen a hostile byte.

        Raises:
            SandboxError: that is less than was asked for, or it does not say.
        """
        told = message.get("sandbox")
        if not isinstance(told, dict):
            self.stop()
            raise SandboxError(f"{self._module} does not say how it is shut in.")
        self.confinement = Confinement.told(told)
        if not self.confinement.fits or self.confinement.mode != self.sandbox.mode:
            self.stop()
            raise self.confinement.refusal()

    def _lost(self, *, hung: bool) -> ChildLost:
        tail = self.stop()
        if hung:
            return ChildLost("it did not answer in time", hung=True)
        return ChildLost(tail, hung=False)

    def hang(self) -> ChildLost:
        """Stop a child that is silent for too long; the error to raise or to report."""
        return self._lost(hung=True)

    def stop(self) -> str:
        """End the process; how it ended, in words. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return "it was not running"
        assert process.stdin is not None and process.stdout is not None
        if self._selector is not None:
            self._selector.close()
            self._selector = None
        process.stdin.close()
        process.stdout.close()
        try:
            # A child that has crashed ends by itself; one that hangs does not.
            code = process.wait(0.2)
        except subprocess.TimeoutExpired:
            # Killed while it is still setting up, bubblewrap may leave its own child behind.
            inner = self._worker_of(process.pid)
            process.kill()
            if inner and inner != process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(inner, signal.SIGKILL)
            code = process.wait()
        if self._wrapped and code > 128:
            code = 128 - code  # bubblewrap passes a signal on as a shell does
        words = f"it ended with signal {-code}" if code < 0 else f"it ended with code {code}"
        if self._errors is not None:
            self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, self._errors.tell() - 400))
            last = self._errors.read().decode("utf-8", "replace").strip().splitlines()
            self._errors.close()
            self._errors = None
            if code != 0 and last and "Error" in last[-1]:
                words += f" ({last[-1][:200]})"
        return words


def serve_frames() -> tuple[BinaryIO, BinaryIO]:
    """In a child: its frame streams, with file descriptor 1 turned away so that no library can write into a frame."""
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return incoming, outgoing


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """In a child: the next frame, None when the parent has gone."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    json_size, payload_size = _HEAD.unpack(head)
    message: dict[str, Any] = json.loads(stream.read(json_size))
    return message, stream.read(payload_size)


def write_frame(stream: BinaryIO, message: dict[str, Any], payload: bytes = b"") -> None:
    """In a child: send a frame."""
    body = json.dumps(message, separators=(",", ":")).encode()
    stream.write(_HEAD.pack(len(body), len(payload)) + body)
    if payload:
        stream.write(payload)
    stream.flush()


class _Without:
    """Packages that a child does without: pyarrow and numba would load them if they are there, for half a second of
    processor time, and neither needs them for what a child asks of it.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Asked first whenever something is imported."""
        if name in ("pandas", "scipy"):
            raise ModuleNotFoundError(f"{name} is not used in this process", name=name)


def limit_self(outgoing: BinaryIO, memory: int) -> None:
    """In a child, before its first request: bounded memory, no core dump, no file larger than its own error log, low
    priority, and the sandbox that the parent asked for. Tells the parent how it is shut in.
    """
    sys.meta_path.insert(0, _Without)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    os.nice(5)
    write_frame(outgoing, {"sandbox": confine()})


def limit_cpu(seconds: int) -> None:
    """In a child: this many more seconds of processor time, then the kernel ends it (should the parent be gone)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
