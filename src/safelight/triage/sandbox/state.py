"""What was asked of the sandbox, and what a child that runs in it says there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safelight.errors import EvidenceError

#: All three layers or no start; what there is, if it closes every way out, or no start; limits alone.
MODES = ("strict", "auto", "off")
LAYERS = ("bubblewrap", "landlock", "seccomp")


class SandboxError(EvidenceError):
    """Hostile bytes would have to be parsed without the sandbox that the settings ask for."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """How the processes that parse evidence were shut in.

    Attributes:
        mode: what the settings asked for (`MODES`).
        layers: the layers that were in force, of `LAYERS`.
        missing: layer to the reason why it was not.
    """

    mode: str = "off"
    layers: tuple[str, ...] = ()
    missing: Mapping[str, str] | None = None

    @property
    def enough(self) -> bool:
        """Whether every way out is closed by at least one layer."""
        return "seccomp" in self.layers and ("bubblewrap" in self.layers or "landlock" in self.layers)

    @property
    def fits(self) -> bool:
        """Whether it is what the mode asks for."""
        if self.mode == "strict":
            return set(self.layers) == set(LAYERS)
        return self.mode == "off" or self.enough

    @property
    def sentence(self) -> str:
        """For reports; says plainly what was missing."""
        if not self.layers:
            return (
                "The programs that parse the evidence ran WITHOUT a sandbox, as the settings asked: "
                "limits of memory and time alone held them."
            )
        held = f"The programs that parse the evidence were shut in by {_and(self.layers)}"
        why = "; ".join(f"{layer}: {reason}" for layer, reason in sorted((self.missing or {}).items()))
        return f"{held} (missing: {why})." if why else f"{held}."

    def refusal(self) -> SandboxError:
        """The error for a confinement that is less than its mode asks for."""
        why = "; ".join(f"{layer}: {reason}" for layer, reason in sorted((self.missing or {}).items()))
        weaker = "`auto` takes what there is; " if self.mode == "strict" and self.enough else ""
        return SandboxError(
            f"The parsers cannot be shut in as asked ({self.mode}), so no evidence was opened. "
            f"{why[:1].upper()}{why[1:]}.",
            fix=f"Mend that, or set the sandbox to less ({weaker}`off` runs them without, and every report says so).",
        )

    @classmethod
    def told(cls, answer: Mapping[str, Any]) -> Confinement:
        """What a child said of itself, before it was given a hostile byte."""
        missing = {str(k): str(v)[:300] for k, v in dict(answer.get("missing") or {}).items()}
        layers = tuple(layer for layer in LAYERS if layer in (answer.get("layers") or ()))
        return cls(str(answer.get("mode")), layers, missing or None)


def _and(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
