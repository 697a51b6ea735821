"""Run inside the parsers' sandbox: tries every way out it knows, and says of each what came of it.

An attempt returns when it got out, and raises when it was stopped. Started by test_escapes.py.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from safelight.triage.wire import limit_self, read_frame, serve_frames, write_frame

LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int:
    """A system call by its name; raises when the kernel refuses."""
    import pyseccomp

    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    result = LIBC.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)


def attempts(request: dict) -> dict[str, Callable[[], object]]:
    parent, evidence = int(request["parent"]), request["evidence"]
    beside, database, source = request["beside"], request["database"], request["source"]
    buffer = ctypes.create_string_buffer(4096)

    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)

    def connect() -> None:
        with socket.socket() as one:
            one.settimeout(1)
            one.connect(("127.0.0.1", int(request["port"])))

    def other_memory() -> None:
        class Vector(ctypes.Structure):
            _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))

        here = Vector(ctypes.addressof(buffer), 64)
        there = Vector(0x400000, 64)
        call("process_vm_readv", parent, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)

    def memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def climb() -> bytes:
        # Through the process's own view of its root, and up.
        return Path("/proc/self/root/../../../../../../etc/shadow").read_bytes()

    def program_in_memory() -> None:
        fd = call("memfd_create", b"x", 0)
        os.write(fd, Path("/usr/bin/true").read_bytes())
        os.execve(f"/proc/self/fd/{fd}", ["true"], {})

    return {
        "connect to the host": connect,
        "make an internet socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "make a local socket": lambda: socket.socket(socket.AF_UNIX),
        "make a raw packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
        "talk to the kernel's netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "make a socket pair": socket.socketpair,
        "resolve a name": lambda: socket.getaddrinfo("localhost.example", 80),
        "become another program": lambda: os.execv("/bin/true", ["true"]),
        "start a program": lambda: subprocess.run(["/bin/true"], check=True),
        "fork": fork,
        "run a program from memory": program_in_memory,
        "trace the parent": lambda: call("ptrace", 16, parent, 0, 0),
        "read the parent's memory": other_memory,
        "read the parent's environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "open the parent's memory": lambda: open(f"/proc/{parent}/mem", "rb"),
        "read the parent's files": lambda: os.listdir(f"/proc/{parent}/fd"),
        "signal the parent": lambda: os.kill(parent, 0),
        "signal everyone": lambda: os.kill(-1, 0),
        "read another device's image": lambda: Path(beside).read_bytes(),
        "read the database": lambda: Path(database).read_bytes(),
        "read the passwords": lambda: Path("/etc/shadow").read_bytes(),
        "read the accounts": lambda: Path("/etc/passwd").read_bytes(),
        "climb out of the root": climb,
        "write to the evidence": lambda: open(evidence, "r+b"),
        "truncate the evidence": lambda: os.truncate(evidence, 0),
        "delete the evidence": lambda: os.unlink(evidence),
        "rename the evidence": lambda: os.rename(evidence, evidence + ".x"),
        "change the evidence's mode": lambda: os.chmod(evidence, 0o777),
        "change the evidence's times": lambda: os.utime(evidence, (0, 0)),
        "link to the evidence": lambda: os.symlink(evidence, evidence + ".link"),
        "write beside the evidence": lambda: Path(evidence + ".new").write_bytes(b"x"),
        "write to the system": lambda: Path("/usr/escaped").write_bytes(b"x"),
        "write to the program": lambda: Path(source, "escaped.py").write_bytes(b"x"),
        "write a compiled kernel": lambda: Path(source, "safelight/matching/__pycache__/escaped.nbi").write_bytes(b"x"),
        "write to a temporary folder": lambda: Path("/tmp/escaped").write_bytes(b"x"),
        "make a device": lambda: os.mknod("/tmp/disk", 0o060600, os.makedev(254, 0)),
        "open the host's disk": lambda: open("/dev/vda", "rb"),
        "become root": lambda: os.setresuid(0, 0, 0),
        "join groups": lambda: os.setgroups([0]),
        "mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, 0),
        "make name spaces": lambda: call("unshare", 0x10000000 | 0x00020000),
        "change the root": lambda: os.chroot("/usr"),
        "open by handle": lambda: call("open_by_handle_at", -100, buffer, 0),
        "load a kernel program": lambda: call("bpf", 0, buffer, 64),
        "use kernel keys": lambda: call("keyctl", 0, -3, 1),
        "watch performance events": lambda: call("perf_event_open", buffer, 0, -1, -1, 0),
        "use io_uring": lambda: call("io_uring_setup", 4, buffer),
        "catch page faults": lambda: call("userfaultfd", 0),
        "read the kernel's log": lambda: call("syslog", 3, buffer, 4096),
        "set the host name": lambda: socket.sethostname("escaped"),
        "share memory": lambda: call("shmget", 4711, 4096, 0o1666),
        "be traced": lambda: call("prctl", 0x59616D61, -1, 0, 0, 0),
        "take more memory": memory,
    }


def honest(request: dict) -> dict[str, str]:
    """What a parser must be able to do all the same."""
    done = {"evidence": Path(request["evidence"]).read_bytes().decode()}
    thread = threading.Thread(target=lambda: done.setdefault("thread", "ran"))
    thread.start()
    thread.join()
    import numpy as np

    from safelight.matching.pdq import pdq

    done["kernel"] = str(pdq(np.zeros((64, 64, 3), np.uint8)).quality)
    return done


def main() -> None:
    incoming, outgoing = serve_frames()
    limit_self(outgoing, 4 << 30)
    while (frame := read_frame(incoming)) is not None:
        request = frame[0]
        said = {}
        for name, attempt in attempts(request).items():
            try:
                got = attempt()
            except Exception as error:  # noqa: BLE001 - whatever stops it
                said[name] = f"stopped: {type(error).__name__}: {error}"
            else:
                said[name] = f"OUT: {str(got)[:80]}"
        write_frame(outgoing, {"said": said, "honest": honest(request)})


if __name__ == "__main__":
    sys.exit(main())
