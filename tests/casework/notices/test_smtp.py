"""A real conversation with a mail server, and with one that is not there, hangs or refuses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from django.utils import timezone
from tests.casework.factories import make_case, make_user

from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.letters import send_waiting, wait_after
from safelight.casework.notices.models import Letter
from safelight.casework.notices.services import tell

pytestmark = pytest.mark.django_db


class Postbox:
    """What arrives, and what is answered to each address."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.refuse: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return "250 Message accepted for delivery"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mail_settings(settings: Any) -> Any:
    settings.EMAIL_ON = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 2
    settings.SITE_URL = "https://safelight.example"
    settings.DEFAULT_FROM_EMAIL = "safelight@force.example"
    return settings


@pytest.fixture
def server(mail_settings: Any) -> Iterator[Controller]:
    running = Controller(Postbox(), hostname="127.0.0.1", port=mail_settings.EMAIL_PORT)
    running.start()
    yield running
    running.stop()


def reachable(name: str) -> Any:
    user = make_user()
    user.email = f"{name}@force.example"
    user.save()
    return user


def test_letters_arrive_with_a_reference_and_a_link(server):
    """The whole chain, as a mail server sees it."""
    case = make_case()
    tell([reachable("one"), reachable("two")], "clock.breached", case)
    assert send_waiting() == 2
    first, second = server.handler.envelopes
    assert (first.mail_from, first.rcpt_tos) == ("safelight@force.example", ["one@force.example"])
    assert second.rcpt_tos == ["two@force.example"], "nobody learns who else was told"
    message = message_from_bytes(first.content)
    assert message["Subject"] == f"Safelight: A clock has run out ({case.reference})"
    assert "https://safelight.example/notices/NO-" in message.get_payload()
    assert not Letter.objects.filter(sent_at=None).exists()
    assert LedgerEntry.objects.filter(verb="notices.emailed", case_key=case.pk).count() == 2
    assert send_waiting() == 0, "each once"


def test_nothing_is_lost_while_the_server_is_down(mail_settings):
    """The night on which the mail server is away is the night on which nobody hears."""
    tell([reachable(f"p{number}") for number in range(3)], "clock.breached", make_case())
    now = timezone.now()
    for tries in range(1, 4):
        assert send_waiting(now) == 0
        waiting = Letter.objects.filter(next_try_at__isnull=False)
        assert waiting.count() == 3
        assert sum(letter.tries for letter in waiting) == tries, "one try shows that the server is away"
        assert waiting.order_by("-tries")[0].fault == "ConnectionRefusedError"
        assert send_waiting(now + timedelta(seconds=5)) == 0, "not hammered"
        now = max(letter.next_try_at for letter in waiting) + timedelta(seconds=1)
    running = Controller(Postbox(), hostname="127.0.0.1", port=mail_settings.EMAIL_PORT)
    running.start()
    try:
        assert send_waiting(now) == 3
        assert len(running.handler.envelopes) == 3
    finally:
        running.stop()
    assert send_waiting(now + timedelta(days=1)) == 0


def test_a_server_that_hangs_costs_one_time_out(mail_settings):
    """The tick that sends is the tick that watches the clocks of children."""
    mail_settings.EMAIL_TIMEOUT = 0.3
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", mail_settings.EMAIL_PORT))
        deaf.listen()
        tell([reachable(f"p{number}") for number in range(20)], "clock.breached", make_case())
        begun = timezone.now()
        assert send_waiting() == 0
        assert timezone.now() - begun < timedelta(seconds=2)
    assert Letter.objects.filter(next_try_at__isnull=False).count() == 20


def test_one_refused_address_does_not_keep_the_others_waiting(server):
    """One former colleague's mailbox would silence the whole force."""
    server.handler.refuse = {"gone@force.example": "550 No such user", "full@force.example": "452 Mailbox full"}
    tell([reachable("gone"), reachable("full"), reachable("here")], "clock.breached", make_case())
    now = timezone.now()
    assert send_waiting(now) == 1
    gone, full = Letter.objects.filter(next_try_at__isnull=False).order_by("pk")
    assert (gone.fault, full.fault) == ("SMTP 550", "SMTP 452")
    assert gone.next_try_at - now == timedelta(hours=6)
    assert full.next_try_at - now == timedelta(seconds=30)
    server.handler.refuse = {}
    assert send_waiting(now + timedelta(hours=7)) == 2, "the mailbox is there again: nothing was given up"


def test_the_waits_grow_and_stop_growing():
    assert [wait_after(n).total_seconds() for n in (1, 2, 3, 8, 500)] == [30, 60, 120, 1800, 1800]
