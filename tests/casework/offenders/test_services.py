"""The register: duties, notifications, visits and what follows on them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.casework.factories import make_offender, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice
from safelight.casework.offenders import services
from safelight.casework.offenders.children import record_child_in_household
from safelight.casework.offenders.dates import Stay, due_day
from safelight.casework.offenders.models import Offender
from safelight.casework.offenders.notifying import (
    announced_change_happened,
    begin_duties,
    record_event,
    record_notification,
)
from safelight.casework.offenders.queries import Filters, counts_of, offender_page, officers
from safelight.casework.offenders.visiting import decide_on_failed_visits, decision_waits, record_visit
from safelight.standards import Duration, load_standards
from safelight.standards.working_calendar import local_day, start_of_day

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def noon(day: date) -> datetime:
    return min(start_of_day(day) + timedelta(hours=12), timezone.now())


def clock(row, rule: str) -> Clock | None:
    return Clock.objects.open().filter(rule=rule, subject_id=row.pk, subject_type=row._meta.label_lower).first()


def due(row, rule: str) -> date | None:
    found = clock(row, rule)
    return local_day(found.due_at) if found and found.due_at else None


def today() -> date:
    return timezone.localdate()


def year_after(day: date) -> date | None:
    return due_day(load_standards().clocks["rso_annual"], day, [])


def visit_due(day: date, every: Duration, stays: list[Stay]) -> date | None:
    return due_day(load_standards().clocks["rso_visit_current"], day, stays, own=every)


class TestNotifications:
    def test_the_first_notification_has_three_days_beginning_with_the_relevant_date(self) -> None:
        """Day four would be recorded as in time."""
        one = make_offender(relevant_date=today() - DAY, first_notified=False)
        duty = one.duties.get()
        assert due(duty, "rso_initial_notify") == today() + DAY
        assert clock(duty, "rso_initial_notify").owner == one.manager
        made = record_notification(one.manager, one, kind="initial", place="Example station", identity_seen=True)
        assert made.late is False
        assert clock(duty, "rso_initial_notify") is None
        assert due(one, "rso_annual") == year_after(today())

    def test_a_late_first_notification_is_late_for_ever(self) -> None:
        one = make_offender(relevant_date=today() - 5 * DAY, first_notified=False)
        made = record_notification(one.manager, one, kind="initial", place="Example station")
        assert (made.late, made.due_on) == (True, today() - 3 * DAY)
        ended = Clock.objects.get(rule="rso_initial_notify")
        assert ended.state() == "breached"

    def test_a_change_of_address_moves_the_year_and_bank_details_do_not(self) -> None:
        """A man who reported a new bank card would be a year further from his next visit to the station."""
        one = make_offender()
        long_ago = today() - 100 * DAY
        record_notification(one.manager, one, kind="annual", at=noon(long_ago), place="Example station")
        assert due(one, "rso_annual") == year_after(long_ago)
        record_notification(one.manager, one, kind="other", place="Example station", changed="A bank card.")
        assert due(one, "rso_annual") == year_after(long_ago)
        record_notification(
            one.manager, one, kind="change", place="Example station", changed="New address.", event_on=today()
        )
        assert due(one, "rso_annual") == year_after(today())
        before, after = Clock.objects.filter(rule="rso_annual", subject_id=one.pk).order_by("pk")
        assert (after.rebased_from, before.state()) == (before, "met"), "the clock before stays, with the time it had"

    def test_without_a_home_the_notification_is_weekly(self) -> None:
        one = make_offender(has_home=False)
        record_notification(one.manager, one, kind="weekly", place="Example station")
        assert due(one, "rso_nfa_weekly") == today() + 7 * DAY
        assert clock(one, "rso_annual") is None

    def test_custody_rests_the_year_and_three_days_follow_release(self) -> None:
        one = make_offender()
        record_notification(one.manager, one, kind="annual", at=noon(today() - 400 * DAY), place="Example station")
        assert due(one, "rso_annual") < today()
        services.record_away(one.manager, one, kind="custody", begins=today() - 60 * DAY)
        assert clock(one, "rso_annual").state() == "paused"
        one.refresh_from_db()
        assert (one.away, one.notify_due_on) == ("custody", None)
        services.record_back(one.manager, one, ends=today())
        assert due(one, "rso_annual") == today() + 2 * DAY
        assert due(one.duties.get(rule="rso_change_notify"), "rso_change_notify") == today() + 2 * DAY

    def test_an_announced_change_that_does_not_happen_is_to_be_notified(self) -> None:
        """Section 84(4): six days beginning with the date that was given."""
        one = make_offender()
        ahead = today() + 2 * DAY
        record_notification(
            one.manager, one, kind="advance", place="Example station", changed="Moves to Example Road.", event_on=ahead
        )
        duty = one.duties.get()
        assert clock(duty, duty.rule) is None, "the day has not come"
        assert begin_duties() == 0
        duty.event_on = today() - DAY
        duty.save()
        assert begin_duties() == 1
        assert begin_duties() == 0
        assert due(duty, duty.rule) == today() + 4 * DAY
        announced_change_happened(one.manager, duty, on=today() - DAY)
        assert clock(duty, duty.rule) is None

    def test_a_change_much_earlier_than_announced_needs_a_fresh_notice(self) -> None:
        one = make_offender()
        record_notification(
            one.manager, one, kind="advance", place="Station", changed="Moves.", event_on=today() + 9 * DAY
        )
        announced_change_happened(one.manager, one.duties.get(), on=today())
        assert due(one.duties.get(rule="rso_change_notify"), "rso_change_notify") == today() + 2 * DAY

    def test_travel_has_to_be_notified_seven_days_before(self) -> None:
        one = make_offender()
        in_time = record_notification(
            one.manager, one, kind="travel", place="Station", changed="To Example Land.", event_on=today() + 8 * DAY
        )
        late = record_notification(
            one.manager, one, kind="travel", place="Station", changed="To Example Land.", event_on=today() + 5 * DAY
        )
        assert (in_time.late, late.late) == (False, True)
        services.record_away(one.manager, one, kind="abroad", begins=today() - 3 * DAY)
        services.record_back(one.manager, one, ends=today())
        assert due(one.duties.get(rule="rso_travel_return"), "rso_travel_return") == today() + 2 * DAY

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"kind": "nonsense"}, "kind"),
            ({"kind": "annual", "place": " "}, "place"),
            ({"kind": "change", "changed": ""}, "changed"),
            ({"kind": "change", "changed": "x"}, "event_on"),
            ({"kind": "advance", "changed": "x", "event_on": date(2020, 1, 1)}, "event_on"),
            ({"kind": "annual", "at": timezone.now() + timedelta(days=2)}, "at"),
            ({"kind": "annual", "at": noon(date(2019, 1, 1))}, "at"),
        ],
    )
    def test_what_cannot_be_is_refused_by_field(self, fields, field) -> None:
        one = make_offender()
        with pytest.raises(Invalid) as refused:
            record_notification(one.manager, one, **{"place": "Example station", **fields})
        assert refused.value.field == field
        assert one.notifications.count() == 0

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def test_the_events_in_any_order_lead_to_the_same_days(self, data) -> None:
        """A notification that is typed in late would leave another due date than one typed in at once."""
        officer = make_user("offender_manager")
        agos = data.draw(st.lists(st.integers(1, 700), min_size=1, max_size=4, unique=True))
        kinds = {ago: data.draw(st.sampled_from(["annual", "other", "seen", "failed"])) for ago in agos}
        left = []
        for order in (sorted(agos, reverse=True), data.draw(st.permutations(agos))):
            one = make_offender(officer, plan=(3, "months"))
            for ago in order:
                kind, at = kinds[ago], noon(today() - ago * DAY)
                if kind in ("annual", "other"):
                    record_notification(officer, one, kind=kind, at=at, place="Station", changed="x")
                else:
                    outcome = "successful" if kind == "seen" else "failed"
                    record_visit(officer, one, outcome=outcome, at=at, text="Synthetic.")
            one.refresh_from_db()
            clocks = {rule: due(one, rule) for rule in ("rso_annual", "rso_visit_current")}
            left.append((one.notify_due_on, one.visit_due_on, one.attempt_due_on, one.failed_since_seen, clocks))
            assert clocks["rso_visit_current"] == one.visit_due_on
        assert left[0] == left[1]
        last = min((ago for ago in agos if kinds[ago] == "annual"), default=None)
        if last is not None:
            assert left[0][0] == year_after(today() - last * DAY)


class TestVisits:
    def test_no_frequency_comes_from_the_risk_category(self) -> None:
        """A default from the old table would look like a plan that somebody made."""
        one = make_offender()
        services.record_risk(one.manager, one, level="very_high", source="Synthetic tool")
        one.refresh_from_db()
        assert one.visit_due_on is None
        assert clock(one, "rso_visit_current").state() == "not_set"
        assert counts_of(Offender.objects.all()).no_plan == 1

    def test_failed_visits_count_in_one_definition_only(self) -> None:
        """An offender whom nobody has seen for years would look visited: the case that inspectors found."""
        one = make_offender(plan=(1, "months"))
        record_visit(one.manager, one, outcome="successful", at=noon(today() - 400 * DAY), text="Seen.")
        for ago in (90, 60, 5):
            record_visit(one.manager, one, outcome="failed", at=noon(today() - ago * DAY), text="No answer.")
        one.refresh_from_db()
        assert one.attempt_due_on > today()
        assert one.visit_due_on == visit_due(today() - 400 * DAY, Duration(1, "months"), [])
        counts = counts_of(Offender.objects.all())
        assert (counts.due, counts.not_seen, counts.decide) == (0, 1, 1)
        row = offender_page(one.manager, Filters(), mine=True).rows[0]
        assert row.due_days is None
        assert row.unseen_days > 300
        assert clock(one, "rso_visit_current").state() == "breached"

    def test_a_successful_visit_meets_the_clock_and_starts_the_next(self) -> None:
        one = make_offender(plan=(28, "calendar_days"))
        record_visit(
            one.manager, one, outcome="successful", text="Seen.", announced="Court order", devices_checked=True,
            joint_with="Probation",
        )  # fmt: skip
        assert due(one, "rso_visit_current") == today() + 28 * DAY
        met = Clock.objects.get(rule="rso_visit_current", stopped_at__isnull=False)
        assert met.state() == "met"
        services.set_plan(one.manager, one, every=7, every_unit="calendar_days", actions="Closer now.")
        assert due(one, "rso_visit_current") == today() + 7 * DAY

    def test_after_failed_visits_people_are_told_and_a_supervisor_decides(self) -> None:
        chief = make_user("supervisor")
        one = make_offender(plan=(1, "months"))
        kinds = []
        for ago in (9, 6, 3):
            record_visit(one.manager, one, outcome="failed", at=noon(today() - ago * DAY), text="No answer.")
            kinds.append(list(Notice.objects.filter(user=chief).order_by("pk").values_list("kind", flat=True)))
        assert kinds == [[], ["offender.not_seen"], ["offender.not_seen", "offender.decide"]]
        one.refresh_from_db()
        assert decision_waits(one)
        with pytest.raises(NotAllowed):
            decide_on_failed_visits(one.manager, one, step="warrant", reason="Synthetic.")
        decide_on_failed_visits(chief, one, step="warrant", reason="Not seen three times.")
        assert not decision_waits(one)
        record_visit(one.manager, one, outcome="failed", text="No answer.")
        one.refresh_from_db()
        assert decision_waits(one), "each further failed visit is decided"

    def test_visits_rest_in_custody_and_the_remaining_days_are_kept(self) -> None:
        one = make_offender(plan=(30, "calendar_days"))
        record_visit(one.manager, one, outcome="successful", at=noon(today() - 20 * DAY), text="Seen.")
        services.record_away(one.manager, one, kind="custody", begins=today() - 10 * DAY)
        one.refresh_from_db()
        assert one.visit_due_on is None
        services.record_back(one.manager, one, ends=today())
        one.refresh_from_db()
        stays = [Stay(today() - 10 * DAY, today())]
        assert one.visit_due_on == visit_due(today() - 20 * DAY, Duration(30, "calendar_days"), stays)
        assert one.visit_due_on == today() + 20 * DAY


class TestManagement:
    def test_reactive_management_needs_three_years_of_low_risk_a_review_and_a_supervisor(self) -> None:
        chief = make_user("supervisor")
        one = make_offender(plan=(12, "months"))
        services.record_risk(one.manager, one, level="low", source="Tool", on=today() - 1000 * DAY)
        one.refresh_from_db()
        with pytest.raises(NotPossible, match="too short"):
            services.approve_reactive(chief, one, review="Synthetic.")
        services.record_risk(one.manager, one, level="low", source="Tool", on=today() - 1200 * DAY)
        one.refresh_from_db()
        with pytest.raises(NotAllowed):
            services.approve_reactive(one.manager, one, review="Synthetic.")
        services.approve_reactive(chief, one, review="Nothing is known.")
        one.refresh_from_db()
        assert (one.management, one.visit_due_on, clock(one, "rso_visit_current")) == ("reactive", None, None)
        record_notification(one.manager, one, kind="annual", place="Station")
        assert due(one, "rso_annual") is not None, "the yearly notification stays"
        services.record_intelligence(one.manager, one, text="Seen at a school.")
        one.refresh_from_db()
        assert one.management == "active"
        assert clock(one, "rso_visit_current") is not None
        assert Notice.objects.filter(kind="offender.active", user=one.manager).exists()

    def test_a_level_in_between_breaks_the_row_of_low_levels(self) -> None:
        one = make_offender()
        for level, ago in (("low", 2000), ("medium", 900), ("low", 800)):
            services.record_risk(one.manager, one, level=level, source="Tool", on=today() - ago * DAY)
        one.refresh_from_db()
        assert one.low_since == today() - 800 * DAY

    def test_mappa_levels_have_their_review(self) -> None:
        one = make_offender()
        services.record_mappa(one.manager, one, category=1, level=3, text="Synthetic.")
        assert due(one, "mappa_l3_review") == today() + 42 * DAY
        services.record_mappa(one.manager, one, category=1, level=2, text="Synthetic.")
        assert clock(one, "mappa_l3_review") is None
        assert due(one, "mappa_l2_review") == today() + 84 * DAY

    def test_giving_an_offender_to_another_officer_takes_the_clocks_along(self) -> None:
        other = make_user("offender_manager")
        one = make_offender(plan=(1, "months"))
        services.assign(one.manager, one, manager=other, reason="Leave.")
        assert clock(one, "rso_visit_current").owner == other
        assert Notice.objects.filter(user=other, kind="offender.given").exists()
        with pytest.raises(Invalid):
            services.assign(other, one, manager=make_user("offender_manager", "SW"), reason="x")

    def test_off_the_register_ends_every_clock_and_keeps_the_record(self) -> None:
        chief = make_user("supervisor")
        one = make_offender(plan=(1, "months"))
        record_event(one.manager, one, rule="rso_change_notify", event_on=today(), what="New name.")
        services.take_off(chief, one, reason="The period is over.")
        left = Clock.objects.open().filter(subject_type="offenders.offender", subject_id=one.pk)
        assert not left.exists()
        with pytest.raises(NotPossible):
            services.add_note(chief, one, text="Too late.")

    def test_officers_are_held_against_policy(self) -> None:
        chief = make_user("supervisor")
        full, free = make_user("offender_manager"), make_user("offender_manager")
        one = make_offender(full, plan=(1, "months"))
        Offender.objects.bulk_create(
            Offender(
                person=person, unit=one.unit, manager=full, relevant_date=date(2020, 1, 1), risk="low",
                registered_at=timezone.now(), registered_by=chief,
            )
            for person in _people(59)
        )  # fmt: skip
        found = {one.user: one for one in officers(chief)}
        assert (found[full].total, found[full].level, found[free].level) == (60, "red", "green")
        assert found[full].visits_a_year == 12


def _people(number: int):
    from tests.casework.factories import make_person

    return [make_person() for _ in range(number)]


def test_a_child_in_the_household_is_at_risk_at_once_whatever_the_offender_says() -> None:
    """A child would wait for the three days that the offender has."""
    desk_unit = make_user("supervisor")
    one = make_offender()
    referral, duty = record_child_in_household(
        one.manager, one, stayed_on=today(), what="Lives with a partner.", borough="Camden",
        children=[{"given_names": "Example", "age": 7}, {}],
    )  # fmt: skip
    clocks = Clock.objects.open().filter(rule="police_referral_to_csc", referral=referral)
    assert clocks.count() == 2
    assert referral.people.get().person == one.person
    assert due(duty, "rso_child_household") == today() + 2 * DAY
    assert type(referral).objects.visible_to(desk_unit).filter(pk=referral.pk).exists()


def test_who_sees_the_register() -> None:
    one = make_offender()
    sees = {
        "own": make_user("offender_manager"), "super": make_user("supervisor"),
        "chief": make_user("chief_officer", None),
        "elsewhere": make_user("offender_manager", "SW"), "desk": make_user("referral_desk"),
        "investigator": make_user(), "admin": make_user("administrator"),
    }  # fmt: skip
    found = {who: Offender.objects.visible_to(user).filter(pk=one.pk).exists() for who, user in sees.items()}
    assert {who for who, yes in found.items() if yes} == {"own", "super", "chief"}
    with pytest.raises(NotAllowed):
        services.add_note(sees["elsewhere"], one, text="x")
    with pytest.raises(NotAllowed):
        services.add_note(sees["chief"], one, text="x")


def test_the_ledger_holds_no_name_and_no_word() -> None:
    import json

    word = "Zyxwvut"
    one = make_offender(family_name=word, aliases=[word], plan=(1, "months"))
    services.record_intelligence(one.manager, one, text=f"{word} said so.")
    record_visit(one.manager, one, outcome="failed", text=word, announced=word, joint_with=word)
    record_notification(one.manager, one, kind="change", place=word, changed=word, event_on=today())
    record_event(one.manager, one, rule="rso_change_notify", event_on=today(), what=word)
    for entry in LedgerEntry.objects.all():
        assert word not in json.dumps(entry.payload) + entry.reason + entry.subject_label, entry.verb


def test_an_assessment_ends_the_first_clock_and_starts_the_yearly_one() -> None:
    """A level that was assessed before the entry was made would be overdue after fifteen days."""
    one = make_offender()
    assert due(one, "rso_arms") == today() + 15 * DAY
    services.record_risk(one.manager, one, level="high", source="Tool", on=today() - 30 * DAY)
    assert due(one, "rso_arms") == year_after(today() - 30 * DAY)


def test_the_rounds_hold_what_is_riskiest_and_name_the_rest() -> None:
    """A plan of a day that nobody could keep, or one that forgets who did not fit."""
    from safelight.casework.offenders.rounds import latest_rounds, names_of, plan_visit_rounds

    officer, second = make_user("offender_manager"), make_user("offender_manager")
    rows = [make_offender(officer, plan=(1, "months"), address=f"{n} Example Street") for n in range(3)]
    for row, place in zip(rows[:2], ((51.53, -0.12), (51.54, -0.13)), strict=True):
        record_visit(officer, row, outcome="successful", at=noon(today() - 60 * DAY), text="Seen.")
        Offender.objects.filter(pk=row.pk).update(latitude=place[0], longitude=place[1])
    made = plan_visit_rounds(
        officer, manager=officer, second=second, first_day=today(), days=2, latitude=51.52, longitude=-0.11
    )
    planned = {visit["key"] for one in made.data["rounds"] for visit in one["visits"]}
    assert planned | {one["key"] for one in made.data["in_no_round"]} == {row.reference for row in rows[:2]}
    assert planned
    assert latest_rounds(second, officer) == made
    assert latest_rounds(make_user("offender_manager", "SW"), officer) is None
    assert "Example Street" in names_of(second, made)[rows[0].reference]
    with pytest.raises(Invalid, match="pairs"):
        plan_visit_rounds(
            officer, manager=officer, second=officer, first_day=today(), days=2, latitude=51.52, longitude=-0.11
        )
