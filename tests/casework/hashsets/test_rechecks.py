"""A new list looks back: if this fails, a child on a device that was triaged last month stays unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.urls import reverse
from tests.casework.bench import Bench
from tests.casework.factories import SKILL, make_allocation, make_case, make_user

from casework.hashsets.test_services import bring_in
from safelight.casework.base.errors import NotAllowed, NotPossible
from safelight.casework.devices.services import queue_triage
from safelight.casework.devices.tasks import run_triage
from safelight.casework.hashsets import rechecks
from safelight.casework.hashsets.models import Recheck
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.work.queries import work_of

pytestmark = pytest.mark.django_db(transaction=False)


def manifest(settings: Any, run: Any) -> Path:
    return Path(settings.REPORTS_ROOT) / run.report_folder / "manifest.parquet"


def test_a_new_list_finds_what_an_earlier_run_saw(bench: Bench, settings: Any, sign_in: Any, tmp_path: Path) -> None:
    """The whole way: an old run, a new list, a task for whoever works the case, and a new triage that ends it."""
    bench.import_sets()
    case = make_case()
    investigator = make_user(unit=case.unit, skills=[SKILL])
    device = bench.device(case=case)
    run = bench.triage(device)
    rows = pq.read_table(manifest(settings, run), columns=["md5", "path", "size"]).to_pylist()
    unknown = next(
        row
        for row in rows
        if row["md5"] and row["size"] and row["md5"] not in run.findings.values_list("md5", flat=True)
    )
    path = tmp_path / "later.csv"
    path.write_text(f"md5,category\n{unknown['md5']},B\n{'0' * 31}1,A\n")
    late = bring_in(bench.examiner, path, name="Later list")
    asked = Recheck.objects.get(hash_set=late)
    rechecks.recheck_runs(asked.pk)
    asked.refresh_from_db()
    assert (asked.runs_checked, asked.runs_not_checked, asked.files_checked) == (1, 0, len(rows))
    (hit,) = asked.hits.all()
    assert (hit.run, hit.files, hit.exact, hit.category) == (run, 1, 1, "B")
    assert hit.examples[0]["md5"] == unknown["md5"]
    assert {"triage.known_later", "hashset.rechecked"} <= set(LedgerEntry.objects.values_list("verb", flat=True))
    assert case.chronology.filter(kind="triage_known_later").exists()
    for user in (bench.examiner, investigator):
        if user is investigator:
            make_allocation(case, user, make_user("supervisor", case.unit))
        titles = [task.item.title for task in work_of(user).tasks]
        assert "Triage the device anew: a newer list knows 1 file of it" in titles
    page = sign_in(bench.examiner).get(reverse("hashsets:recheck", args=[asked.pk])).content.decode()
    assert "Waiting" in page and run.reference in page
    assert (
        run.reference
        not in sign_in(make_user("supervisor", "SW")).get(reverse("hashsets:recheck", args=[asked.pk])).content.decode()
    )
    assert rechecks.recheck_runs(asked.pk) == "nothing to do"
    again = bench.triage(device)
    assert unknown["md5"] in again.findings.values_list("md5", flat=True)
    assert not rechecks.open_hits().exists(), "the image was triaged with the list: the task is done"


def test_what_cannot_be_looked_at_is_said_and_a_hit_can_be_settled(bench: Bench, settings: Any, tmp_path: Path) -> None:
    """A run whose record is lost must not pass as one in which the list knows nothing."""
    bench.import_sets()
    run, lost = bench.triage(bench.device()), bench.triage(bench.device("iso9660.raw"))
    md5 = next(
        row["md5"] for row in pq.read_table(manifest(settings, run), columns=["md5", "size"]).to_pylist() if row["size"]
    )
    manifest(settings, lost).unlink()
    path = tmp_path / "later.csv"
    path.write_text(f"md5\n{md5}\n")
    bring_in(bench.examiner, path, name="Later list")
    asked = Recheck.objects.latest("pk")
    rechecks.recheck_runs(asked.pk)
    asked.refresh_from_db()
    assert (asked.runs_checked, asked.runs_not_checked) == (1, 1)
    hit = asked.hits.get(problem="")
    with pytest.raises(NotAllowed):
        rechecks.settle_hit(make_user(unit="SW"), hit, reason="x")
    rechecks.settle_hit(bench.examiner, hit, reason="The image is on its way back for another look.")
    with pytest.raises(NotPossible):
        rechecks.settle_hit(bench.examiner, hit, reason="x")
    assert not rechecks.open_hits().exists()


def test_a_list_that_comes_while_a_run_is_under_way_looks_at_it_too(bench: Bench, tmp_path: Path) -> None:
    """Between the beginning and the end of a run lie hours: a list that came in then would be used by nobody."""
    bench.import_sets()
    device = bench.device("iso9660.raw")
    run = queue_triage(bench.examiner, device)
    path = tmp_path / "later.csv"
    path.write_text("md5\n" + "0" * 31 + "1\n")
    from safelight.casework.devices import tasks

    real = tasks.merge

    def with_an_import(*arguments: Any, **options: Any) -> Any:
        result = real(*arguments, **options)
        bring_in(bench.examiner, path, name="Came in meanwhile")
        return result

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tasks, "merge", with_an_import)
        run_triage(run.pk)
    assert Recheck.objects.filter(only=run, hash_set__name="Came in meanwhile").exists()


def test_a_lost_job_is_asked_for_again(bench: Bench) -> None:
    """A worker that dies must not take a look back with it."""
    rows = bench.import_sets()
    Recheck.objects.update(asked_at=rows[0].imported_at - rechecks.LATE * 2)
    waiting = Recheck.objects.filter(finished_at=None).count()
    assert rechecks.ask_again_for_lost() == waiting == 2
    assert rechecks.ask_again_for_lost() == 0
