"""The queue by priority, the page of all devices, and first answers in case work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.casework.bench import Bench
from tests.casework.factories import make_case, make_device, make_user

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.devices import queries as devices
from safelight.casework.devices.models import Device, EvidenceImage, Finding, TriageRun, UnreadPart
from safelight.casework.fleet import queries, tasks
from safelight.casework.fleet.keeping import inputs_now, keep_all, keep_priority, priority_of
from safelight.casework.fleet.models import DevicePriority, FirstLook
from safelight.casework.fleet.recovery import recover_dead_looks
from safelight.casework.fleet.services import ask_first_answer
from safelight.casework.fleet.tasks import give_first_answer
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def listed() -> HashSetRecord:
    return HashSetRecord.objects.create(
        name="SYNTHETIC", kind="known", version="1", root="ab" * 32, folder="", source="x", legal_basis="x",
        file_name="x", file_sha256="x", format="x", imported_at=timezone.now(), imported_by=make_user("examiner"),
    )  # fmt: skip


def ran(device: Device, state: str = "finished", *, found: str = "", unread: int = 0) -> TriageRun:
    """A run that has ended, with one exact finding of this category and so many unread bytes of 1,000."""
    now = timezone.now()
    image = EvidenceImage.objects.create(
        device=device, path=f"{device.pk}.dd", imaged_at=now, registered_by=device.booked_in_by, registered_at=now
    )
    run = TriageRun(
        device=device, image=image, state="running", lease="x", queued_by=device.booked_in_by, queued_at=now,
        started_at=now, summary={"media_size": 1000, "files_read": 3}, unread_bytes=unread,
    )  # fmt: skip
    run.save()
    if found:
        Finding.objects.create(
            run=run, kind="exact", algorithm="md5", category=found, hash_set=HashSetRecord.objects.first() or listed(),
            path="a.jpg", size=1, written=device.seized_at - timedelta(days=2), md5="0" * 32, sha1="", sha256="",
        )  # fmt: skip
    if unread:
        UnreadPart.objects.create(run=run, what="volume 1", length=unread, reason="BitLocker encryption, no key")
    run.state, run.lease, run.finished_at = state, "", timezone.now()
    run.save()
    return run


def test_the_queue_puts_the_child_first_and_says_why(sign_in: Any) -> None:
    """The device that may show who is being hurt now would wait behind a hundred others, and nobody could say why."""
    examiner = make_user("examiner")
    plain, found, fresh, live = (make_device(make_case(), examiner) for _ in range(4))
    ran(plain)
    ran(found, "unread_parts", found="A", unread=600)
    live.case.live_contact = True
    live.case.save()
    order = [d.pk for d in devices.queue(examiner).rows]
    assert order == [live.pk, found.pk, fresh.pk, plain.pk]
    text = sign_in(examiner).get(reverse("devices:index")).content.decode()
    expected = (
        "A child on the case is in live contact.", "The gravest found: category A, by exact match.",
        "is encrypted and unread", "At least half of it was not read.", "Nobody has looked at it yet.",
    )  # fmt: skip
    for words in expected:
        assert words in text, words
    kept = DevicePriority.objects.get(device=found)
    assert kept.score == 35 + 10 + 8 + 8 and kept.inputs["exact"] == {"A": 1} and kept.inputs["newest_days"] == 2
    entry = LedgerEntry.objects.filter(verb="device.prioritised", payload__band="first").last()
    assert entry is not None and entry.payload["inputs"]["encrypted"] == 1
    # Live contact ends: the device goes back to its place without anything being worked out anew.
    live.case.live_contact = False
    live.case.save()
    assert [d.pk for d in devices.queue(examiner).rows] == [found.pk, *sorted([fresh.pk, live.pk]), plain.pk]


def test_pages_of_the_queue_leave_none_out(monkeypatch: Any) -> None:
    """A device would stand on no page, and never be examined."""
    examiner = make_user("examiner")
    monkeypatch.setattr(devices, "PAGE", 2)
    made = [make_device(make_case(), examiner) for _ in range(7)]
    for number, device in enumerate(made):
        DevicePriority.objects.filter(device=device).update(score=(number % 3) * 10)
    made[4].case.live_contact = made[5].case.live_contact = True
    for device in (made[4], made[5]):
        device.case.save()
    DevicePriority.objects.filter(device=made[6]).delete()
    left = Device.objects.filter(pk__in=[made[0].pk, made[5].pk])
    left.update(decision="not_triaged", decision_reason="Synthetic.", decided_by=examiner, decided_at=timezone.now())
    for by_age in ("", "age"):
        seen: list[int] = []
        after = ""
        while True:
            page = queries.fleet(examiner, {"order": by_age}, after=after)
            seen += [row.device.pk for row in page.rows]
            if not (after := page.after):
                break
        assert sorted(seen) == sorted(d.pk for d in made) and len(seen) == 7
        if not by_age:
            # One that is put off stands at the end, but for a case in which a child is in live contact.
            assert set(seen[:2]) == {made[4].pk, made[5].pk} and seen[-1] == made[0].pk


def test_the_page_of_all_devices_counts_every_one_once(sign_in: Any) -> None:
    """A chief would read a backlog that is smaller than it is."""
    examiner = make_user("examiner")
    made = [make_device(make_case(), examiner) for _ in range(6)]
    ran(made[0])
    ran(made[1], "unread_parts", unread=10)
    ran(made[2], "failed")
    ran(made[3], "finished", found="B")
    Device.objects.filter(pk=made[4].pk).update(
        decision="not_triaged", decision_reason="Synthetic.", decided_by=examiner, decided_at=timezone.now()
    )
    Device.objects.filter(pk=made[0].pk).update(seized_at=timezone.now() - timedelta(days=400))
    bars, sums = queries.picture(examiner)
    assert sums == {"waiting": 0, "running": 0, "done": 2, "blocked": 3, "left": 1}
    assert {words: total for words, _, _, total in bars}["Over a year"] == 1 and sum(b[3] for b in bars) == 6
    browser = sign_in(examiner)
    text = browser.get(reverse("fleet:index")).content.decode()
    assert "no image yet" in text and "parts not read, not accounted for" in text and "1 %" in text
    assert 'role="img"' in text and "Where they stand, by age since seizure" in text
    for query, shown in (("group=blocked", {1, 2, 5}), ("age=older", {0}), ("group=done&order=age", {0, 3}),
                         ("first=no", {0, 1, 2, 3, 4, 5}), ("first=yes", set())):  # fmt: skip
        got = browser.get(f"{reverse('fleet:index')}?{query}").content.decode()
        assert {n for n, d in enumerate(made) if d.reference in got} == shown, query
    with CaptureQueriesContext(connection) as few:
        browser.get(reverse("fleet:index"))
    for _ in range(12):
        ran(make_device(make_case(), examiner), found="C")
    with CaptureQueriesContext(connection) as many:
        browser.get(reverse("fleet:index"))
    assert len(many.captured_queries) <= len(few.captured_queries) + 1


def test_a_missing_or_stale_priority_is_worked_out_by_the_regular_work() -> None:
    """A device whose row was written by hand, or by an older version, would keep a wrong place for ever."""
    device = make_device(make_case())
    ran(device, found="A")
    DevicePriority.objects.filter(device=device).update(
        score=1, worked_out_at=timezone.now() - timedelta(days=1), inputs={"of": "another version"}
    )
    device.refresh_from_db()
    assert priority_of(device).inputs.run == "none"
    assert keep_all() == 1 and keep_all() == 0
    assert DevicePriority.objects.get(device=device).score == 45
    DevicePriority.objects.all().delete()
    assert keep_all() == 1
    before = LedgerEntry.objects.filter(verb="device.prioritised").count()
    keep_priority(device)
    assert LedgerEntry.objects.filter(verb="device.prioritised").count() == before


def test_a_first_answer_over_a_real_card(bench: Bench, sign_in: Any) -> None:
    """The first answer would stand for the examination, or be lost on the way to the page."""
    bench.import_sets()
    device = bench.device()
    browser = sign_in(bench.examiner)
    asked = browser.post(reverse("fleet:ask", args=[device.reference]), {"minutes": "1"}, follow=True)
    look = device.first_looks.get()
    assert "Waiting for a worker" in asked.content.decode() and look.seconds == 60
    assert (
        "Waiting for a worker"
        in browser.get(reverse("fleet:progress", args=[device.reference, look.reference])).content.decode()
    )
    with pytest.raises(NotPossible, match="under way"):
        ask_first_answer(bench.examiner, device)
    assert give_first_answer(look.pk) == "finished" and give_first_answer(look.pk) == "nothing to do"
    look.refresh_from_db()
    page = browser.get(reverse("fleet:look", args=[device.reference, look.reference])).content.decode()
    assert "First answer" in look.verdict and "clear" not in look.verdict.lower()
    assert look.verdict[:40] in page and "full pass reads everything" in page and "Seed of the drawing" in page
    got = browser.get(reverse("fleet:report", args=[device.reference, look.reference, "report.html"]))
    assert b"sample" in b"".join(got.streaming_content)
    done = browser.get(reverse("fleet:progress", args=[device.reference, look.reference]))
    assert done.headers["HX-Refresh"] == "true"
    assert not device.runs.exists() and inputs_now(device).run == "first answer"
    assert devices.standing_of(devices.devices_of(device.case)[0]) == devices.WAITING
    entry = LedgerEntry.objects.get(verb="first_answer.given")
    assert entry.payload["level"] == look.level and "seed" in entry.payload


def test_a_first_answer_that_fails_says_so(bench: Bench) -> None:
    """A page would say 'running' for ever, and nobody would ask again."""
    bench.import_sets()
    device = bench.device("bogus.001")
    look = ask_first_answer(bench.examiner, device, minutes=1)
    assert give_first_answer(look.pk) == "failed"
    look.refresh_from_db()
    assert "not a forensic image" in look.failure
    with pytest.raises(Invalid, match="not offered"):
        ask_first_answer(bench.examiner, device, minutes=7)
    with pytest.raises(NotPossible, match="no such image"):
        ask_first_answer(bench.examiner, make_device(make_case(), bench.examiner))


def test_a_first_answer_of_a_dead_worker_is_taken_over(bench: Bench) -> None:
    """In the queue of a thousand devices one would wait for ever, because nobody asked for its answer again."""
    bench.import_sets()
    device = bench.device()
    look = ask_first_answer(bench.examiner, device, minutes=1)
    assert recover_dead_looks() == 0
    long_ago = timezone.now() - timedelta(hours=1)
    FirstLook.objects.filter(pk=look.pk).update(asked_at=long_ago, job_id="")
    assert recover_dead_looks() == 1, "a first answer whose job was lost is not found"
    dead = {"state": "running", "lease": "a" * 32, "attempts": 1, "started_at": long_ago, "heartbeat_at": long_ago}
    FirstLook.objects.filter(pk=look.pk).update(**dead)
    before = FirstLook.objects.get(pk=look.pk).job_id
    assert recover_dead_looks() == 1 and recover_dead_looks() == 0
    look.refresh_from_db()
    assert (look.state, look.lease) == ("queued", "") and look.job_id != before
    assert LedgerEntry.objects.get(verb="first_answer.taken_over").payload["attempts"] == 1
    # The dead one awakes: it holds no lease any more, and writes nothing.
    asleep = FirstLook(pk=look.pk, device=device, image=look.image, state="running", lease="a" * 32, seconds=60)
    assert tasks._fail(asleep, "x") == "taken over by another worker"
    assert give_first_answer(look.pk) == "finished"
    look.refresh_from_db()
    assert look.attempts == 2 and look.lease == ""


def test_a_first_answer_that_kills_its_workers_ends_in_words(bench: Bench) -> None:
    """A card that crashes whatever reads it would go from worker to worker until the end of time."""
    bench.import_sets()
    look = ask_first_answer(bench.examiner, bench.device(), minutes=1)
    long_ago = timezone.now() - timedelta(hours=1)
    dead = {"state": "running", "lease": "a" * 32, "attempts": 3, "heartbeat_at": long_ago}
    FirstLook.objects.filter(pk=look.pk).update(**dead)
    assert recover_dead_looks() == 1
    look.refresh_from_db()
    assert look.state == "failed" and "died 3 times" in look.failure


def test_the_tags_of_a_running_device_follow_it(bench: Bench, sign_in: Any) -> None:
    """The page would say 'Waiting' over a bar that is half full."""
    bench.import_sets()
    device = bench.device()
    from safelight.casework.devices.services import queue_triage

    run = queue_triage(bench.examiner, device)
    browser = sign_in(bench.examiner)
    page = browser.get(reverse("devices:detail", args=[device.reference])).content.decode()
    TriageRun.objects.filter(pk=run.pk).update(state="running", lease="x", started_at=timezone.now())
    live = browser.get(reverse("devices:progress", args=[device.reference, run.reference])).content.decode()
    for place in ("device", "image"):
        assert f'id="{place}-state-{run.pk}"' in page
        assert f'<span id="{place}-state-{run.pk}" hx-swap-oob="true">' in live
    assert "Running" in live and "hx-swap-oob" not in page
