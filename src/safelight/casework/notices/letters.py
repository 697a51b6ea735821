"""The letters: e-mails that carry a kind, a reference and a link, and nothing that names a person.

Sent from the outbox by ``safelight tick``. A letter is claimed for some minutes, sent, and then marked as sent: when a
process dies between the two it is sent a second time (with the same Message-ID), never not at all.
"""

from __future__ import annotations

import smtplib
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.notices.models import Letter, Notice

CLAIM = timedelta(minutes=5)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=30)
REFUSED_WAIT = timedelta(hours=6)
LONGEST_CLAIM = REFUSED_WAIT + CLAIM  # no letter waits longer for its next try, by a clock that is right
BATCH = 200

BODY = """{title}.

About: {about}
Open it here: {link}

You are asked to sign in. What it is about is never written in an e-mail.
Nobody reads answers to this message.
"""


def message_of(notice: Notice, connection: Any = None) -> EmailMessage:
    """The e-mail of a notice. Its words are constants of the kind; its reference and link name no person."""
    about = notice.about or notice.reference
    link = f"{settings.SITE_URL}{reverse('notices:detail', args=[notice.reference])}"
    host = settings.SITE_URL.partition("//")[2].partition("/")[0].partition(":")[0] or "safelight"
    return EmailMessage(
        subject=f"Safelight: {notice.what.title} ({about})",
        body=BODY.format(title=notice.what.title, about=about, link=link),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[notice.user.email],
        headers={
            "Message-ID": f"<{notice.reference}.{int(notice.at.timestamp())}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
        connection=connection,
    )


def wait_after(tries: int, refused: bool = False) -> timedelta:
    """How long a letter waits after so many tries: 30 s, doubling to half an hour; six hours when it was refused."""
    return REFUSED_WAIT if refused else min(FIRST_WAIT * 2 ** min(tries - 1, 10), LONGEST_WAIT)


def send_waiting(now: datetime | None = None, limit: int = BATCH) -> int:
    """Send the letters that are due. When the server cannot be reached, all of them wait and none is lost.

    Returns:
        How many were sent.
    """
    moment = now or timezone.now()
    due = list(
        Letter.objects.filter(next_try_at__lte=moment).order_by("next_try_at").values_list("pk", flat=True)[:limit]
    )
    if not due or not settings.EMAIL_ON:
        return 0
    connection = get_connection()
    sent = 0
    try:
        for pk in due:
            # Claimed in its own transaction, so that no lock is held while a server takes its time.
            if not Letter.objects.filter(pk=pk, next_try_at__lte=moment).update(next_try_at=moment + CLAIM):
                continue
            letter = Letter.objects.select_related("notice__user").get(pk=pk)
            if _dropped(letter, moment):
                continue
            try:
                connection.open()
                message_of(letter.notice, connection).send()
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
                _wait(letter, moment, _code(error), refused=_code(error).startswith("SMTP 5"))
            except (OSError, smtplib.SMTPException) as error:
                _wait(letter, moment, _code(error))
                _everything_waits(moment, letter)
                break
            else:
                _sent(letter)
                sent += 1
    finally:
        with suppress(OSError, smtplib.SMTPException):
            connection.close()
    return sent


def _code(error: Exception) -> str:
    """What went wrong, as a code. The other side's own words could repeat an address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return f"SMTP {codes[0]}" if codes else "SMTP"
    number = getattr(error, "smtp_code", None)
    return f"SMTP {number}" if isinstance(number, int) and number > 0 else type(error).__name__


def _dropped(letter: Letter, moment: datetime) -> bool:
    """Nobody is left to write to: the account was closed or has no address now."""
    user = letter.notice.user
    if user.is_active and user.email:
        return False
    with transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(next_try_at=None, dropped_at=moment, fault="no address")
        record(None, "notices.email_dropped", letter.notice, category=Category.SYSTEM, payload={"user": user.pk})
    return True


@transaction.atomic
def _sent(letter: Letter) -> None:
    Letter.objects.filter(pk=letter.pk).update(
        sent_at=timezone.now(), next_try_at=None, tries=letter.tries + 1, fault=""
    )
    notice = letter.notice
    record(
        None,
        "notices.emailed",
        notice,
        category=Category.SYSTEM,
        case=notice.case,
        payload={"user": notice.user_id, "tries": letter.tries + 1},
    )


def _wait(letter: Letter, moment: datetime, fault: str, *, refused: bool = False) -> None:
    tries = letter.tries + 1
    wait = wait_after(tries, refused)
    Letter.objects.filter(pk=letter.pk).update(tries=tries, next_try_at=moment + wait, fault=fault[:60])


def _everything_waits(moment: datetime, letter: Letter) -> None:
    """The server itself is away: nothing else is tried before this letter is."""
    until = moment + wait_after(letter.tries + 1)
    Letter.objects.filter(next_try_at__lt=until).update(next_try_at=until)
