"""Quarantine, the negative bank, overlaps and floods: if these fail, a bad list buries what a good one finds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_user

from casework.hashsets.test_services import A, B, C, bring_in
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.hashsets import quarantine, queries, services
from safelight.casework.hashsets.models import HeldEntry, SetOverlap
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.work.queries import work_of
from safelight.matching import Matcher

pytestmark = pytest.mark.django_db
# Half of 256 bits set, as in every PDQ of a picture with structure.
CODE = "0f" * 32
NEAR = "0e" + "0f" * 31


@pytest.fixture
def keeper(settings: Any, tmp_path: Path) -> Any:
    settings.DATA = tmp_path / "data"
    return make_user("examiner")


def write(path: Path, *rows: str) -> Path:
    path.write_text("md5,pdq,category\n" + "\n".join(rows) + "\n")
    return path


def test_a_picture_without_structure_is_held_at_import(keeper: Any, tmp_path: Path) -> None:
    """A list with the PDQ of a black picture would match every dark picture of every device."""
    row = bring_in(keeper, write(tmp_path / "a.csv", f"{A},{'0' * 64},A", f"{B},{CODE},A"))
    (held,) = HeldEntry.objects.all()
    assert (held.hash_set, held.pdq, held.held_by) == (row, "0" * 64, None)
    assert "0 of 256 bits" in held.reason
    ((_, hashes),) = services.load_live()
    matcher = Matcher([hashes])
    assert matcher.perceptual(bytes(32))[0].set_aside.startswith("in quarantine")
    assert matcher.perceptual(bytes.fromhex(CODE))[0].set_aside == ""
    assert matcher.exact(md5=bytes.fromhex(A))[0].set_aside == ""


def test_what_resembles_a_vouched_for_picture_is_held(keeper: Any, tmp_path: Path) -> None:
    """A logo that stands in both lists would alarm on every computer."""
    good = tmp_path / "good.csv"
    good.write_text(f"md5,pdq\n{C},{NEAR}\n")
    bring_in(keeper, good, kind="known-good", name="Harmless")
    bring_in(keeper, write(tmp_path / "a.csv", f"{A},{CODE},A", f"{B},{'f0' * 32},A"), name="Known")
    assert [(one.pdq, "Harmless" in one.reason) for one in HeldEntry.objects.all()] == [(CODE, True)]


def test_holding_and_releasing_has_a_name_and_a_reason(keeper: Any, tmp_path: Path) -> None:
    """Somebody who silences an entry must be known, and must be able to be wrong."""
    row = bring_in(keeper, write(tmp_path / "a.csv", f"{A},{CODE},A"))
    with pytest.raises(Invalid, match="has no such PDQ"):
        quarantine.hold_entry(keeper, row, pdq="f0" * 32, reason="x")
    with pytest.raises(Invalid, match="64 hexadecimal"):
        quarantine.hold_entry(keeper, row, pdq="nonsense", reason="x")
    with pytest.raises(NotAllowed):
        quarantine.hold_entry(make_user("investigator"), row, pdq=CODE, reason="x")
    held = quarantine.hold_entry(keeper, row, pdq=CODE.upper(), reason="900 false likenesses on one device.")
    with pytest.raises(NotPossible, match="already"):
        quarantine.hold_entry(keeper, row, pdq=CODE, reason="again")
    assert "900 false" in services.load_live()[0][1].held[0]
    quarantine.release_entry(keeper, held, reason="The device was a screen saver.")
    assert services.load_live()[0][1].held == {}
    with pytest.raises(NotPossible, match="released already"):
        quarantine.release_entry(keeper, held, reason="x")
    assert set(LedgerEntry.objects.values_list("verb", flat=True)) >= {"hashset.held", "hashset.released"}


def test_the_negative_bank_answers_likenesses_and_never_the_listed_file(keeper: Any, tmp_path: Path) -> None:
    """Nobody can confirm away a file that a list names."""
    bring_in(keeper, write(tmp_path / "a.csv", f"{A},{CODE},A"))
    for pdq, md5 in ((CODE, ""), ("f0" * 32, A)):
        with pytest.raises(NotPossible, match="lists this very picture"):
            quarantine.add_negative(keeper, pdq=pdq, md5=md5, reason="Looks harmless.")
    with pytest.raises(NotAllowed):
        quarantine.add_negative(make_user("administrator"), pdq=NEAR, reason="x")
    assert services.negative_bank() == []
    made = quarantine.add_negative(keeper, pdq=NEAR, md5=B, reason="Two examiners: a door.")
    with pytest.raises(NotPossible, match="already"):
        quarantine.add_negative(keeper, pdq=NEAR, reason="again")
    sets = [hashes for _, hashes in services.load_live()] + services.negative_bank()
    known = [m for m in Matcher(sets).perceptual(bytes.fromhex(NEAR)) if m.set_kind == "known"]
    assert "confirmed as another picture" in known[0].set_aside
    assert [m.set_aside for m in Matcher(sets).exact(md5=bytes.fromhex(A))] == [""]
    quarantine.withdraw_negative(keeper, made, reason="It was no door.")
    assert services.negative_bank() == []
    with pytest.raises(NotPossible, match="withdrawn already"):
        quarantine.withdraw_negative(keeper, made, reason="x")


def test_lists_that_contradict_each_other_are_shown(keeper: Any, tmp_path: Path, sign_in: Any) -> None:
    """Two publishers that grade one file differently: a court will ask who knew."""
    bring_in(keeper, write(tmp_path / "a.csv", f"{A},,A", f"{B},,B"), name="First")
    bring_in(keeper, write(tmp_path / "b.csv", f"{B},,C", f"{C},,A"), name="Second")
    (row,) = SetOverlap.objects.all()
    assert (row.ours.name, row.ours_shared, row.theirs_shared, row.contradicting) == ("Second", 1, 1, 1)
    browser = sign_in(keeper)
    assert "1 contradict" in browser.get(reverse("hashsets:overlaps")).content.decode()
    text = browser.get(reverse("hashsets:overlap", args=[row.pk])).content.decode()
    assert B in text and "The lists disagree" in text
    assert (
        "Shared with other lists"
        in browser.get(reverse("hashsets:detail", args=[row.theirs.reference])).content.decode()
    )
    bring_in(keeper, write(tmp_path / "c.csv", f"{C},,A"), name="Second", version="2")
    assert queries.overlaps().rows == [], "of versions that are retired nothing is said any more"


def test_a_version_that_floods_or_shrinks_waits_for_a_word(keeper: Any, tmp_path: Path) -> None:
    """A publisher's mistake must not replace a good list over night."""
    many = [f"{n:032x},,A" for n in range(1, 1200)]
    bring_in(keeper, write(tmp_path / "a.csv", *many))
    with pytest.raises(Invalid, match="the one in use 1,199") as caught:
        bring_in(keeper, write(tmp_path / "b.csv", *many[:300]), version="2")
    assert caught.value.field == "size_confirmed"
    assert bring_in(keeper, write(tmp_path / "b.csv", *many[:300]), version="2", size_confirmed=True).version == "2"


def test_a_list_that_is_not_renewed_is_stale(keeper: Any, tmp_path: Path, sign_in: Any) -> None:
    """Yesterday's list finds yesterday's pictures: somebody must be told."""
    row = bring_in(keeper, write(tmp_path / "a.csv", f"{A},,A"), fresh_days=30)
    browser, administrator = sign_in(keeper), make_user("administrator")
    assert "Fresh" in browser.get(reverse("hashsets:index")).content.decode()
    assert work_of(administrator).tasks == ()
    row.imported_at = timezone.now() - timedelta(days=31)
    row.save()
    assert "Stale" in browser.get(reverse("hashsets:index")).content.decode()
    assert "older than its 30 days" in browser.get(reverse("hashsets:detail", args=[row.reference])).content.decode()
    (task,) = work_of(administrator).tasks
    assert "newer version" in task.item.title and row.reference in task.item.subject


def test_the_pages_act(keeper: Any, tmp_path: Path, sign_in: Any) -> None:
    """What the services can do must be within a person's reach."""
    row = bring_in(keeper, write(tmp_path / "a.csv", f"{A},{CODE},A"))
    browser = sign_in(keeper)
    said = browser.post(reverse("hashsets:hold", args=[row.reference]), {"pdq": CODE, "reason": "Floods."}, follow=True)
    assert "The entry is in quarantine" in said.content.decode()
    assert "Floods." in browser.get(reverse("hashsets:quarantine")).content.decode()
    held = HeldEntry.objects.get()
    browser.post(reverse("hashsets:release", args=[held.pk]), {"reason": "No."}, follow=True)
    assert "No entry is in quarantine" in browser.get(reverse("hashsets:quarantine")).content.decode()
    assert "No." in browser.get(reverse("hashsets:quarantine"), {"show": "released"}).content.decode()
    said = browser.post(reverse("hashsets:negative_add"), {"pdq": NEAR, "md5": "", "reason": "A door."}, follow=True)
    assert "A door." in said.content.decode() and "Withdraw" in said.content.decode()
    refused = browser.post(reverse("hashsets:negative_add"), {"pdq": CODE, "reason": "A door."})
    assert "lists this very picture" in refused.content.decode()
