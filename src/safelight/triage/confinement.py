"""What the parsers' sandbox has on this machine, asked of a real child that is given nothing to parse."""

from __future__ import annotations

from safelight.triage.sandbox import Confinement, Sandbox, SandboxError
from safelight.triage.settings import TriageSettings
from safelight.triage.wire import Child, ChildLost


def what_there_is(mode: str) -> Confinement:
    """Start a picture worker as a triage run would, hear how it is shut in, and end it.

    Raises:
        SandboxError: the machine cannot shut it in as asked, or the child does not start.
    """
    memory = TriageSettings().picture_memory
    child = Child("safelight.triage.worker", str(memory), "1", "10", sandbox=Sandbox(mode))
    try:
        child.start()
        child.receive(60)
    except ChildLost as lost:
        raise SandboxError(
            f"The process that would parse evidence does not start: {lost.what}.", fix="Install Safelight again."
        ) from None
    finally:
        child.stop()
    if child.confinement is None:
        raise SandboxError("The process that would parse evidence did not answer.", fix="Is the machine overloaded?")
    return child.confinement
