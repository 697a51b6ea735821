"""A double click at 2 a.m. must not record a note, a review or a child twice."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from tests.casework.factories import make_case, make_user
from tests.casework.world import client_of

from safelight.casework.accounts.models import PostedForm
from safelight.casework.base.once import forget_old_sheets
from safelight.casework.cases.chronology import BY_HAND
from safelight.casework.cases.models import ChronologyEntry

KIND = next(kind.code for kind in BY_HAND)


def sheet(client: Client, path: str) -> dict[str, Any]:
    number = re.search(r'name="sheet" value="([\w-]+)"', client.get(path).content.decode())[1]
    return {"sheet": number, "kind": KIND, "text": "Synthetic note."}


@pytest.fixture
def page(db) -> tuple[Client, str]:
    supervisor = make_user("supervisor")
    case = make_case(actor=supervisor)
    return client_of(supervisor), f"/cases/{case.reference}/chronology/"


def notes() -> int:
    return ChronologyEntry.objects.filter(text="Synthetic note.").count()


def test_the_same_sheet_twice_is_one_note(page):
    """Both clicks lead to the same place, and the person is told."""
    client, path = page
    answers = sheet(client, path)
    first, second = client.post(path, answers), client.post(path, answers, follow=True)
    assert notes() == 1 and first.status_code == 302 and second.redirect_chain[0][0] == first.url
    assert "It was sent twice and counts once." in second.content.decode()


def test_another_sheet_or_other_answers_are_another_act(page):
    """Two equal notes on purpose stay two: the officer opened the page again, or wrote something else."""
    client, path = page
    answers = sheet(client, path)
    client.post(path, answers)
    client.post(path, sheet(client, path))
    assert notes() == 2
    client.post(path, answers | {"text": "Synthetic note, corrected."})
    assert ChronologyEntry.objects.filter(text="Synthetic note, corrected.").count() == 1


def test_a_sheet_with_a_mistake_was_not_sent(page):
    """After an error message, the same sheet with the mistake mended must not be refused as a repetition."""
    client, path = page
    answers = sheet(client, path)
    assert client.post(path, answers | {"kind": ""}).status_code == 200 and not PostedForm.objects.exists()
    assert client.post(path, answers).status_code == 302 and notes() == 1


def test_a_program_without_sheets_is_done_each_time(page):
    """What posts without a page's sheet knows what it does."""
    client, path = page
    for _ in range(2):
        client.post(path, {"kind": KIND, "text": "Synthetic note."})
    assert notes() == 2


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_moment_are_one_act():
    """The race that a real double click runs."""
    supervisor = make_user("supervisor")
    path = f"/cases/{make_case(actor=supervisor).reference}/chronology/"
    answers = sheet(client_of(supervisor), path)
    clients = [client_of(supervisor) for _ in range(4)]
    start, codes = threading.Barrier(4), []

    def click(client: Client) -> None:
        try:
            start.wait()
            codes.append(client.post(path, answers).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [302] * 4 and notes() == 1


def test_what_was_sent_is_not_kept(page):
    """The row that recognises a repetition holds no word of it, and goes after a day."""
    client, path = page
    client.post(path, sheet(client, path))
    row = PostedForm.objects.get()
    assert re.fullmatch(r"[0-9a-f]{64}", row.key) and "Synthetic" not in row.answer
    assert forget_old_sheets() == 0
    PostedForm.objects.update(at=timezone.now() - timedelta(days=2))
    assert forget_old_sheets() == 1
