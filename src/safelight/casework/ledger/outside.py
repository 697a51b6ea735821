"""The ledger as it shows itself to the outside: its name, its key, its checkpoints, and who its witnesses are."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from safelight.casework.ledger.models import LedgerSeal
from safelight.errors import SafelightError
from safelight.tlog.errors import WitnessError
from safelight.tlog.notes import COSIGNATURE, ED25519, Checkpoint, Signer, VerifierKey

TIMEOUT = 5.0
MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class WitnessAddress:
    """Where a witness is, and the key that it signs with."""

    url: str
    key: VerifierKey

    @property
    def book(self) -> str:
        return f"{self.url}/book/{sha256(settings.LEDGER_ORIGIN.encode()).hexdigest()}"


def witnesses() -> list[WitnessAddress]:
    """The witnesses that the setting names.

    Raises:
        SafelightError: a line of the file is no witness.
    """
    if not settings.WITNESSES:
        return []
    path, found = Path(settings.WITNESSES), []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        if len(parts) != 2 or not parts[0].startswith(("http://", "https://")):
            raise SafelightError(f"{path}, line {number}: this is no witness.", fix="Write: https://HOST KEY")
        key = VerifierKey.read(parts[1])
        if key.kind != COSIGNATURE:
            raise SafelightError(
                f"{path}, line {number}: {key.name} is no witness's key.", fix="Ask the witness for it."
            )
        found.append(WitnessAddress(parts[0].rstrip("/"), key))
    return found


def log_signer() -> Signer:
    """The ledger's own signer; its key lies beside the data, not in the database, and is made when first needed."""
    return Signer.kept_at(Path(settings.LEDGER_KEY), settings.LEDGER_ORIGIN, ED25519)


def checkpoint_of(seal: LedgerSeal) -> Checkpoint:
    """A seal as others know it. Its time is in the text, and so is bound by every signature over it."""
    at = seal.at.astimezone(UTC).isoformat()
    return Checkpoint(settings.LEDGER_ORIGIN, seal.tree_size, bytes.fromhex(seal.root), (f"sealed {at}",))


def signed(seal: LedgerSeal) -> str:
    """A seal as a note signed by the ledger."""
    checkpoint, signer = checkpoint_of(seal), log_signer()
    return f"{checkpoint.text.decode()}\n{signer.sign(checkpoint.text)}"


def over_http(url: str, body: bytes | None = None, kind: str = "text/plain; charset=utf-8") -> tuple[int, bytes]:
    """(status, answer) of a GET, or of a POST of ``body``.

    Raises:
        WitnessError: nobody answers.
    """
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind} if body is not None else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - http and https alone, see witnesses()
            return answer.status, answer.read(MOST_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(10_000)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        reason = getattr(reason, "strerror", None) or reason
        raise WitnessError(f"{url} does not answer: {reason}.") from error
