"""The parsers' sandbox: what reads hostile bytes may look at one device, answer its parent, and do nothing else.

Three layers, each enough to stop a parser that was taken over from reaching anything, one behind the other:

- *bubblewrap*: name spaces of its own (files, processes, network, IPC); a read-only root that holds the program and the
  files of one device; an empty /tmp; the end of the parent is its end.
- *landlock*: the kernel refuses every file but those, and all writing.
- *seccomp*: only the system calls that reading and counting need; no socket, no new program, no tracing, no mounting.

Under all of them: limits of memory, processor time, open files and written bytes (`safelight.triage.wire`).

How much is asked for is one word of the settings (`MODES`); what was really there stands in the record of the run, and
in its reports where anything was missing.
"""

from safelight.triage.sandbox.inner import confine
from safelight.triage.sandbox.outer import Sandbox, device_files, real_place
from safelight.triage.sandbox.state import MODES, Confinement, SandboxError

__all__ = ["MODES", "Confinement", "Sandbox", "SandboxError", "confine", "device_files", "real_place"]
