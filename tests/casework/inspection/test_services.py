"""Plans: what is sealed before anybody looks decides the draw, and nobody draws twice unseen."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import make_assessment, make_audit, make_case, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.inspection.models import AuditPlan, PopulationCase
from safelight.casework.inspection.population import Query
from safelight.casework.inspection.queries import check_of, overlapping
from safelight.casework.inspection.services import close_plan, draw_cases, make_plan, seal_now, seal_of, take_list
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def drawn(plan: AuditPlan) -> list[str]:
    return [one.case.reference for one in plan.cases.filter(reserve=False).order_by("stratum", "position")]


def test_plan_and_list_stand_in_a_sealed_ledger_before_the_draw() -> None:
    """Lost: the proof that nobody looked first and chose the cases after."""
    for unit in ("CN", "CN", "CN", "SW", "SW", "SW"):
        make_case(unit=unit)
    auditor = make_user("auditor", None)
    plan = make_audit(auditor, draw=False, size=4)
    assert plan.entry.payload == {
        "digest": plan.digest, "list": plan.population_digest, "population": 6, "size": 4, "seed": "synthetic",
    }  # fmt: skip
    with pytest.raises(NotPossible, match="not sealed"):
        draw_cases(auditor, plan)
    seal = seal_now(auditor, plan)
    row = draw_cases(auditor, plan)
    assert row.draw_seed == f"synthetic/{seal.root}"
    assert seal_of(plan).pk == seal.pk
    assert [(one["name"], one["population"], one["sampled"]) for one in row.strata] == [("CN", 3, 2), ("SW", 3, 2)]
    assert {one.weight for one in row.cases.filter(reserve=False)} == {1.5}
    assert {one.weight for one in row.cases.filter(reserve=True)} == {0.0}


def test_a_stranger_repeats_the_draw_with_a_hash_and_the_list() -> None:
    """Lost: a draw that only this program can check."""
    for _ in range(7):
        make_case()
    auditor = make_user("auditor", None)
    plan = make_audit(auditor, size=3, reserve=0)
    lines = [line.split("\t") for line in take_list(auditor, plan).splitlines()]
    assert hashlib.sha256("".join(f"{a}\t{b}\n" for a, b in lines).encode()).hexdigest() == plan.population_digest
    ordered = sorted(lines, key=lambda one: hashlib.sha256(f"{plan.draw_seed}\n{one[0]}".encode()).hexdigest())
    assert drawn(plan) == [case for case, _ in ordered[:3]]
    said = {
        "query": plan.query, "strata_by": plan.strata_by, "strata": plan.strata, "list": plan.population_digest,
        "population": 7, "minimum": 2, "reserve": 0, "seed": "synthetic", "criteria": "force_own",
        "criteria_version": "1", "scale": "case",
    }  # fmt: skip
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == plan.entry.payload["digest"]
    assert check_of(plan) == ""


def test_a_plan_is_drawn_once_and_a_second_one_shows_on_both() -> None:
    """Lost: drawing again until the cases look good."""
    for _ in range(5):
        make_case()
    auditor = make_user("auditor", None)
    first = make_audit(auditor, size=2)
    with pytest.raises(NotPossible, match="drawn once"):
        draw_cases(auditor, first)
    second = make_audit(make_user("auditor", None), draw=False, size=2)
    make_case()
    third = make_audit(auditor, size=2)
    assert [(one.plan.pk, one.shared, one.same) for one in overlapping(first)] == [
        (second.pk, 5, True),
        (third.pk, 5, False),
    ]
    assert [(one.plan.pk, one.same) for one in overlapping(second)] == [(first.pk, True), (third.pk, False)]


def test_what_was_changed_after_the_seal_is_found_and_not_drawn() -> None:
    """Lost: a case taken off the list between the seal and the draw."""
    for _ in range(5):
        make_case()
    auditor = make_user("auditor", None)
    plan = make_audit(auditor, draw=False, size=2)
    seal_now(auditor, plan)
    one = PopulationCase.objects.filter(plan=plan).first()
    with transaction.atomic():
        one.delete()
        with pytest.raises(NotPossible, match="not the one that was sealed"):
            draw_cases(auditor, plan)
        transaction.set_rollback(True)
    AuditPlan.objects.filter(pk=plan.pk).update(seed="better words")
    with pytest.raises(NotPossible, match="not what was sealed"):
        draw_cases(auditor, plan)
    assert "not what was sealed" in check_of(AuditPlan.objects.get(pk=plan.pk))
    AuditPlan.objects.filter(pk=plan.pk).update(seed="synthetic")
    row = draw_cases(auditor, plan)
    swapped = row.cases.order_by("pk").first()
    spare = row.listed.exclude(case__in=row.cases.values("case")).first()
    type(swapped).objects.filter(pk=swapped.pk).update(case=spare.case if spare else make_case())
    assert "not those that the plan" in check_of(row)


def test_the_size_follows_from_the_margin_with_the_correction_for_a_small_population() -> None:
    """Lost: 97 cases asked of a force that has 12."""
    for _ in range(12):
        make_case()
    auditor = make_user("auditor", None)
    plan = make_plan(auditor, title="x", criteria="force_own", query=Query(), margin=0.1, seed="s", reserve=0)
    assert (plan.population, plan.size) == (12, 11)


def test_bad_plans_are_refused_in_words() -> None:
    """Lost: an empty sample that counts as an audit, a stratum with one case that counts as measured."""
    auditor = make_user("auditor", None)
    given = {"title": "x", "criteria": "force_own", "seed": "s"}
    with pytest.raises(Invalid, match="population is empty"):
        make_plan(auditor, query=Query(), **given)
    make_case()
    for fields, said in (
        ({"query": Query(units=("NOWHERE",))}, "unknown"),
        ({"query": Query(status="odd")}, "unknown"),
        ({"query": Query(), "strata_by": ("colour",)}, "no way to divide"),
        ({"query": Query(), "margin": 0.0}, "margin"),
        ({"query": Query(), "seed": "  "}, "seed is missing"),
        ({"query": Query(), "self_days": 0}, "1 to 90 days"),
        ({"query": Query(), "criteria": "none"}, "no such criteria"),
    ):
        with pytest.raises(Invalid, match=said):
            make_plan(auditor, **{**given, **fields})
    with pytest.raises(NotAllowed):
        make_plan(make_user("supervisor"), query=Query(), **given)


def test_restricted_cases_are_outside_and_strata_hold_what_they_say() -> None:
    """Lost: a case against a colleague on a list that goes to auditors; a specialist's case counted as anybody's."""
    from tests.casework.factories import make_allocation

    supervisor = make_user("supervisor")
    hidden = make_case(actor=supervisor, restricted=True)
    with_one, without = make_case(actor=supervisor), make_case(actor=supervisor, risk="low")
    make_allocation(with_one, actor=supervisor)
    plan = make_audit(strata_by=("risk", "source", "specialist"), draw=False)
    assert {row.case_id: row.stratum for row in plan.listed.all()} == {
        with_one.pk: "High · National Crime Agency · Specialist",
        without.pk: "Low · National Crime Agency · Nobody had it",
    } or hidden.pk not in set(plan.listed.values_list("case", flat=True))
    assert hidden.pk not in set(plan.listed.values_list("case", flat=True))
    strata = set(plan.listed.values_list("stratum", flat=True))
    assert {one.rpartition(" · ")[2] for one in strata} == {"Specialist", "Nobody had it"}


def test_an_audit_closes_only_when_every_case_is_audited() -> None:
    """Lost: the difficult files left out at the end."""
    case = make_case()
    auditor = make_user("auditor", None)
    plan = make_audit(auditor)
    with pytest.raises(NotPossible, match="1 of the drawn cases"):
        close_plan(auditor, plan)
    audit = plan.cases.get(case=case)
    supervisor = make_user("supervisor")
    make_assessment(supervisor, audit)
    make_assessment(auditor, audit, "inadequate")
    assert close_plan(auditor, plan).closed_at
    verbs = set(LedgerEntry.objects.filter(subject_type="inspection.auditplan").values_list("verb", flat=True))
    assert {"audit_plan.made", "audit_plan.drawn", "audit_plan.closed"} <= verbs


def test_the_database_itself_keeps_a_plan_from_being_drawn_without_a_seed() -> None:
    make_case()
    plan = make_audit(draw=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditPlan.objects.filter(pk=plan.pk).update(drawn_at=timezone.now())
