"""Processes that write, made by forking (Django stands ready in them), and what they were told is saved.

A child writes a line to its pipe after each commit: that is the acknowledgement. Whatever was acknowledged must be
there afterwards, whole; whatever was not may be there, but then whole as well.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trust import Result


class Child:
    """One forked process that runs ``work(acknowledge)``, where ``acknowledge(text)`` says that something is saved."""

    def __init__(self, work: Callable[[Callable[[str], None]], None]) -> None:
        from django.db import connections

        connections.close_all()  # no connection may be shared with a child
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(reading)
                work(lambda text: _line(writing, text))
                status = 0
            except BaseException:  # noqa: BLE001 - a child must end here, whatever happens
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(status)
        os.close(writing)
        self.pipe = reading
        os.set_blocking(reading, False)
        self.text = b""
        self.alive = True
        #: Whether it lived until it was killed here.
        self.ended_by_us = False

    def lines(self) -> list[str]:
        """What it has acknowledged so far; a line cut off by its death is none."""
        while True:
            try:
                piece = os.read(self.pipe, 65_536)
            except BlockingIOError:
                break
            if not piece:
                break
            self.text += piece
        return self.text.decode().split("\n")[:-1]

    def kill(self) -> None:
        """As a power cut would: no handler, no goodbye."""
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            self.ended_by_us = self.wait() == -signal.SIGKILL

    def begins(self, what: str, seconds: float = 120) -> str:
        """Its first line. Raises RuntimeError when there is none: it ended, or says nothing."""
        if not until(lambda: bool(self.lines()) or self.ended(), seconds) or not self.lines():
            how = "it ended; its own words stand above" if self.ended() else f"it said nothing in {seconds:g} s"
            raise RuntimeError(f"{what} did not begin: {how}.")
        return self.lines()[0]

    def ended(self) -> bool:
        """Whether it has come to its end, also when nobody has waited for it yet."""
        if not self.alive:
            return True
        state = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        return state == "Z"

    def wait(self) -> int:
        """Its exit status."""
        _, status = os.waitpid(self.pid, 0)
        self.alive = False
        return os.waitstatus_to_exitcode(status)

    def close(self) -> list[str]:
        """Kill it if it lives; everything that it acknowledged."""
        self.kill()
        found = self.lines()
        os.close(self.pipe)
        return found


def _line(pipe: int, text: str) -> None:
    os.write(pipe, f"{text}\n".encode())


def referral(actor: Any, key: str) -> str:
    """Record a synthetic referral with two children through the service; ``key``, once it is saved."""
    from safelight.casework.referrals.services import record_referral

    record_referral(
        actor, source="public", source_reference=key, summary=f"Synthetic report {key}.",
        suspect={"family_name": "Synthetic", "given_names": key, "address": "1 Example Street"},
        children=[{"given_names": "First", "age": 7}, {"given_names": "Second", "age": 9}],
    )  # fmt: skip
    return key


def check_whole(result: Result, test: str, acknowledged: set[str], seen: str) -> None:
    """Every acknowledged referral is there; every referral there is whole and in the ledger; the ledger verifies."""
    from django.db.models import Count

    from safelight.casework.ledger.models import LedgerEntry
    from safelight.casework.ledger.services import seal
    from safelight.casework.ledger.verify import verify
    from safelight.casework.referrals.models import Referral

    counted = Referral.objects.annotate(n=Count("people", distinct=True)).values_list("pk", "source_reference", "n")
    entries = LedgerEntry.objects.filter(verb="referral.recorded").values_list("subject_id", flat=True)
    entered = {int(key) for key in entries}
    # By the page a referral names one person, by the service three.
    rows = {source: people + 2 * ("-web-" in source) for _, source, people in counted}
    lost = acknowledged - set(rows)
    torn = [source for pk, source, _ in counted if rows[source] != 3 or pk not in entered]
    for reference in sorted(lost)[:5]:
        result.fail(f"{test}: {reference} was acknowledged and is missing.")
    for reference in torn[:5]:
        result.fail(f"{test}: {reference} is there in part ({rows[reference]} people of 3).")
    result.add(f"{test}: acknowledged writes", len(acknowledged), len(acknowledged) - len(lost), seen)
    result.add(f"{test}: referrals whole, with their ledger entry", len(rows), len(rows) - len(torn), "")
    while seal():
        pass
    found = verify()
    for fault in found.faults[:5]:
        result.fail(f"{test}: {fault}")
    result.add(f"{test}: ledger entries verify", found.entries, found.entries if found.proven else 0, "")


def until(what: Callable[[], bool], seconds: float, every: float = 0.005) -> bool:
    """Wait until something holds, at most so long. Time in which this machine let nobody run (a pause, a laptop asleep)
    is not counted: whoever is waited for did not run then either.
    """
    left, before = seconds, time.monotonic()
    while not what():
        if left < 0:
            return False
        time.sleep(every)
        now = time.monotonic()
        left -= min(now - before, 1.0)
        before = now
    return True


def database_url() -> str:
    """DATABASE_URL for a process that is no fork of this one: of the tests' own database where the tests run."""
    from urllib.parse import quote

    from django.db import connection

    words = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{words['NAME']}"
    who = f"{quote(words['USER'])}:{quote(words['PASSWORD'])}"
    return f"postgres://{who}@{words['HOST']}:{words['PORT']}/{words['NAME']}"
