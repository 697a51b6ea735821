"""The partner portal: what was shared with the own agency, answered by itself, and not one page more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.casework.everything import ROUTES, named
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_partner, make_user
from tests.casework.test_forms_survive import GARBAGE, fields_of, kinds, values
from tests.casework.world import client_of
from tests.casework.world import world as make_world

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice
from safelight.casework.safeguarding import strategy as sd
from safelight.casework.safeguarding.services import record_acknowledgement, send_safeguarding_referral
from safelight.casework.sharing import answers, services
from safelight.casework.sharing.models import Sharing, agency_of
from safelight.casework.sharing.queries import of_case
from safelight.casework.sharing.steps import PARTNER

pytestmark = pytest.mark.django_db
CAMDEN, BRENT = "Camden children's social care", "Brent children's social care"


@pytest.fixture
def supervisor():
    return make_user("supervisor")


@pytest.fixture
def case(supervisor):
    case = make_case(actor=supervisor)
    make_allocation(case, make_user(skills=[SKILL]), supervisor)
    return case


@pytest.fixture
def camden():
    return make_partner()


@pytest.fixture
def brent():
    return make_partner(BRENT)


@pytest.fixture
def sent(supervisor, case):
    child = make_child(case=case)
    hour_ago = timezone.now() - timedelta(hours=1)
    child.identified_at = hour_ago - timedelta(hours=1)
    child.save()
    return send_safeguarding_referral(
        supervisor, case, children=[child], authority=CAMDEN, recipient="Duty", concern="Synthetic.", sent_at=hour_ago
    )


@pytest.fixture
def shared(supervisor, sent, camden):
    return services.share_referral(supervisor, sent, agency=agency_of(camden), basis="section_47", basis_words="Why.")


class TestSharing:
    def test_it_is_a_row_with_its_basis_and_a_disclosure_in_the_ledger(self, shared, supervisor, case):
        """Nobody could say later what went to whom, on whose word, on which basis."""
        entry = LedgerEntry.objects.get(verb="sharing.shared")
        assert (entry.category, entry.recipient, entry.case_key) == ("disclosure", CAMDEN, case.pk)
        assert (entry.payload["basis"], entry.payload["digest"]) == ("section_47", shared.digest)
        assert (shared.shared_by, shared.basis_words) == (supervisor, "Why.")
        (view,) = of_case(supervisor, case)
        assert "Children Act 1989 s.47" in view.basis

    def test_what_is_shared_stays_as_it_was(self, shared, sent):
        before = shared.content
        child = sent.children.get()
        child.person.given_names = "Changed"
        child.person.save()
        assert Sharing.objects.get().content == before

    def test_no_basis_the_wrong_borough_or_twice_is_refused(self, supervisor, sent, camden, brent):
        with pytest.raises(Invalid, match="basis"):
            services.share_referral(supervisor, sent, agency=agency_of(camden), basis="because")
        with pytest.raises(Invalid, match="went to Camden"):
            services.share_referral(supervisor, sent, agency=agency_of(brent), basis="section_47")
        services.share_referral(supervisor, sent, agency=agency_of(camden), basis="section_47")
        with pytest.raises(NotPossible, match="already"):
            services.share_referral(supervisor, sent, agency=agency_of(camden), basis="section_47")

    def test_withdrawn_it_is_gone_for_the_partner_and_kept_for_us(self, shared, supervisor, case, camden, sign_in):
        client, address = sign_in(camden), reverse("sharing:received", args=[shared.reference])
        assert client.get(address).status_code == 200
        services.withdraw(supervisor, shared, reason="Sent in error (synthetic).")
        assert client.get(address).status_code == 404
        with pytest.raises(NotAllowed):
            answers.acknowledge(camden, shared)
        (view,) = of_case(supervisor, case)
        assert view.row.withdrawn_reason == "Sent in error (synthetic)."
        assert view.read_at is not None, "that it was read before is not forgotten"

    def test_who_changes_agency_takes_nothing_along(self, shared, camden, sign_in):
        brents = make_partner(BRENT)
        services.join(None, user=camden, agency=agency_of(brents))
        assert sign_in(camden).get(reverse("sharing:received", args=[shared.reference])).status_code == 404
        with pytest.raises(Invalid, match="the role partner"):
            services.join(None, user=make_user(), agency=agency_of(brents))


class TestAnswers:
    def test_a_decision_stops_the_clocks_and_is_marked_as_the_partners_own(self, shared, sent, camden, case):
        """The answer would wait in a portal until somebody typed it over, and the clock would run against nobody."""
        answers.acknowledge(camden, shared)
        sent.refresh_from_db()
        assert (sent.acknowledged_partner, sent.decision) == (camden, "")
        assert Clock.objects.open().filter(rule="csc_referral_decision", subject_id=sent.pk).exists()
        answers.decide(camden, shared, decision="section_47")
        sent.refresh_from_db()
        assert (sent.decision, sent.decided_partner) == ("section_47", camden)
        assert not Clock.objects.open().filter(rule__startswith="csc_referral", subject_id=sent.pk).exists()
        entry = LedgerEntry.objects.get(verb="safeguarding.decided")
        assert (entry.actor, entry.payload["said_by_partner"], entry.case_key) == (camden, True, case.pk)
        assert "in the partner portal" in case.chronology.filter(kind="safeguarding_decision").get().text
        with pytest.raises(NotPossible, match="recorded already"):
            answers.decide(camden, shared, decision="no_action")

    def test_what_police_write_down_for_them_is_not_marked_so(self, sent, supervisor):
        record_acknowledgement(supervisor, sent, by="Worker", decision="assessment")
        sent.refresh_from_db()
        assert sent.decided_partner is None
        assert LedgerEntry.objects.get(verb="safeguarding.decided").payload["said_by_partner"] is False

    def test_a_question_comes_to_the_investigator_and_its_answer_back(self, shared, camden, supervisor, case, sign_in):
        answers.ask(camden, shared, text="Is there a sister? (synthetic)")
        told = set(Notice.objects.filter(kind="partner.asked").values_list("user", flat=True))
        assert told == {case.investigator.pk, supervisor.pk}
        text = sign_in(case.investigator).get(reverse("work:home")).content.decode()
        assert f"Answer the question of {CAMDEN}".replace("'", "&#39;") in text
        services.reply(supervisor, shared, text="Yes, one (synthetic).", question=True)
        assert shared.messages.filter(by_partner=True).get().answered_at is not None
        entry = LedgerEntry.objects.get(verb="sharing.replied")
        assert (entry.category, entry.recipient) == ("disclosure", CAMDEN)
        assert "Answer the police" in sign_in(camden).get(reverse("work:home")).content.decode()
        assert "Answer the question" not in sign_in(case.investigator).get(reverse("work:home")).content.decode()

    def test_another_agency_answers_nothing_even_with_the_right_number(self, shared, brent):
        """Brent's worker would decide on Camden's child."""
        for act in (
            lambda: answers.acknowledge(brent, shared),
            lambda: answers.decide(brent, shared, decision="no_action"),
            lambda: answers.ask(brent, shared, text="x"),
        ):
            with pytest.raises(NotAllowed):
                act()

    def test_health_sees_but_does_not_decide(self, sent, supervisor):
        nurse = make_partner("Example NHS Trust", "health")
        row = services.share_referral(supervisor, sent, agency=agency_of(nurse), basis="section_47")
        with pytest.raises(NotPossible, match="Nothing waits"):
            answers.decide(nurse, row, decision="no_action")
        answers.acknowledge(nurse, row)
        sent.refresh_from_db()
        assert sent.acknowledged_at is None, "only social care acknowledges for social care"


class TestStrategy:
    def call(self, supervisor, case, **fields):
        return sd.call_strategy(supervisor, case, children=[make_child(case=case)], why="Synthetic.", **fields)

    def test_an_invitation_is_answered_and_the_record_shared_after(self, supervisor, case, camden):
        row = self.call(supervisor, case)
        invited = services.share_strategy(supervisor, row, agency=agency_of(camden), basis="section_47")
        answers.answer_invitation(camden, invited, attends=True, text="I come myself.")
        invited.refresh_from_db()
        assert (invited.attends, invited.messages.get().text) == (True, "I come myself.")
        people = [("police", "A"), ("social_care", "B"), ("health", "C")]
        sd.record_strategy(supervisor, row, attendees=people, decisions="Synthetic decision.", outcome="joint_47")
        row.refresh_from_db()
        kept = services.share_strategy(supervisor, row, agency=agency_of(camden), basis="section_47")
        assert kept.kind == "record"
        assert "Synthetic decision." in str(kept.content)
        assert "Synthetic decision." not in str(invited.content)

    def test_a_covert_one_is_seen_only_by_those_of_the_agency_who_are_on_its_list(
        self, supervisor, case, camden, sign_in
    ):
        """The whole duty team would read of an enquiry into a colleague."""
        colleague = make_partner()
        row = self.call(supervisor, case, covert=True, covert_reason="Synthetic.")
        sd.let_know(supervisor, row, user=camden, reason="Manager (synthetic).")
        invited = services.share_strategy(supervisor, row, agency=agency_of(camden), basis="section_47")
        address = reverse("sharing:received", args=[invited.reference])
        assert sign_in(camden).get(address).status_code == 200
        assert sign_in(colleague).get(address).status_code == 404
        assert invited.reference not in sign_in(colleague).get(reverse("sharing:inbox") + "?state=all").content.decode()
        assert set(Notice.objects.filter(kind="partner.received").values_list("user", flat=True)) == {camden.pk}
        answers.answer_invitation(camden, invited, attends=True, text="Synthetic.")
        outsider = make_user("supervisor")
        client = sign_in(outsider)
        for name in ("sharing:of_case", "cases:chronology", "cases:ledger", "safeguarding:case_children"):
            text = client.get(reverse(name, args=[case.reference])).content.decode()
            assert invited.reference not in text, name
            assert row.reference not in text, name
        assert client.get(reverse("sharing:detail", args=[invited.reference])).status_code == 404
        assert not LedgerEntry.objects.filter(case_key=case.pk, subject_type="sharing.sharing").exists()
        assert not Notice.objects.filter(user=outsider, kind="partner.answered").exists()


class TestWalls:
    def test_nothing_of_the_site_opens_for_a_partner_but_the_portal(self, tmp_path, settings) -> None:
        """A social worker's account would be a way into every case of the force."""
        where = make_world(tmp_path, settings, ROUTES)
        partner = make_partner()
        client = client_of(partner)
        views = {name: view for name, view, _ in named() if view.__module__.startswith("safelight.casework.")}
        plain = {name for name, _, takes in named() if not takes}
        own = {"work:home", "sharing:inbox", "inspection:published"}  # the last: figures published for everyone
        opened = set()
        for name, view in views.items():
            if name.startswith("notices:") or "GET" not in view.policy.methods:
                continue
            if name.startswith("accounts:") and view.policy.rule == "signed-in":
                continue  # one's own sign-in
            if name not in where.arguments and name not in plain:
                continue  # of rooms with tables of their own
            answer = client.get(reverse(name, kwargs=where.arguments.get(name)))
            if name == "work:front":
                assert answer.url == reverse("work:home")
            elif answer.status_code == 200:
                opened.add(name)
            else:
                assert answer.status_code in (403, 404), (name, answer.status_code)
        assert opened == own

    def test_numbers_of_another_agency_answer_as_numbers_that_do_not_exist(self, shared, brent, sign_in):
        """An agency could count the referrals of its neighbour."""
        client = sign_in(brent)
        missing = "SH-999999"
        for code in PARTNER:
            for reference in (shared.reference, missing):
                where = reverse("sharing:received_step", args=[reference, code])
                assert client.get(where).status_code == 404
                assert client.post(where, {"text": "x", "decision": "no_action"}).status_code == 404
        for reference in (shared.reference, missing):
            assert client.get(reverse("sharing:received", args=[reference])).status_code == 404
        assert shared.reference not in client.get(reverse("sharing:inbox") + "?state=all").content.decode()
        assert not shared.messages.exists()

    def test_an_account_without_an_agency_sees_an_empty_portal(self, shared, sign_in):
        client = sign_in(make_user("partner", None))
        assert "belongs to no agency" in client.get(reverse("sharing:inbox")).content.decode()
        assert client.get(reverse("sharing:received", args=[shared.reference])).status_code == 404

    def test_each_look_of_an_outsider_is_in_the_ledger_of_the_case_and_writes_nothing_else(
        self, shared, camden, case, sign_in
    ):
        """Nobody could tell a court which outsider read the child's record, and when."""
        client = sign_in(camden)
        address = reverse("sharing:received", args=[shared.reference])
        client.get(address)
        with CaptureQueriesContext(connection) as run:
            text = client.get(address).content.decode()
        writes = [q["sql"] for q in run if q["sql"].lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))]
        assert all('"ledger_ledgerentry"' in sql or "django_session" in sql for sql in writes)
        entry = LedgerEntry.objects.filter(verb="sharing.viewed", actor=camden).latest("id")
        assert (entry.category, entry.case_key, entry.actor_role) == ("consultation", case.pk, "partner")
        assert case.title not in text

    @pytest.mark.parametrize("kind", kinds(*sorted(GARBAGE)))
    def test_no_form_of_the_portal_breaks_on_nonsense(self, kind, shared, camden, sign_in):
        client = sign_in(camden)
        client.raise_request_exception = False
        for code in PARTNER:
            address = reverse("sharing:received_step", args=[shared.reference, code])
            fields = fields_of(client, address)
            assert client.post(address, values(fields, kind)).status_code < 500, code
        for odd in ("?state=%00", "?before=²", "?before=" + "9" * 30, "?state=" + "x" * 3000):
            assert client.get(reverse("sharing:inbox") + odd).status_code < 500
        admin = sign_in(make_user("administrator"))
        admin.raise_request_exception = False
        for name in ("sharing:new_agency", "sharing:member"):
            assert admin.post(reverse(name), values(fields_of(admin, reverse(name)), kind)).status_code < 500


def test_the_whole_way_through_the_pages(supervisor, sent, camden, case, sign_in) -> None:
    """A button that leads nowhere would send everybody back to the telephone."""
    police, partner = sign_in(supervisor), sign_in(camden)
    where = reverse("sharing:share_referral", args=[sent.reference])
    assert agency_of(camden).name.replace("'", "&#39;") in police.get(where).content.decode()
    agency = agency_of(camden).pk
    assert police.post(where, {"agency": agency, "basis": "section_47"}).status_code == 302
    row = Sharing.objects.get()
    assert row.reference in partner.get(reverse("sharing:inbox")).content.decode()

    def step(code, **data):
        address = reverse("sharing:received_step", args=[row.reference, code])
        assert partner.get(address).status_code == 200
        assert partner.post(address, data).status_code == 302, code

    step("acknowledge")
    step("ask", text="Synthetic question.", question="on")
    answer = reverse("sharing:step", args=[row.reference, "reply"])
    assert police.get(answer).status_code == 200
    assert police.post(answer, {"text": "Synthetic answer."}).status_code == 302
    step("decide", decision="strategy")
    assert "Nothing waits for you" in partner.get(reverse("sharing:inbox")).content.decode()
    assert "Synthetic answer." in partner.get(reverse("sharing:received", args=[row.reference])).content.decode()
    text = police.get(reverse("safeguarding:sent", args=[sent.reference])).content.decode()
    assert "The partner itself, in its portal" in text
    assert "Synthetic question." in police.get(reverse("sharing:detail", args=[row.reference])).content.decode()
    assert row.reference in police.get(reverse("sharing:of_case", args=[case.reference])).content.decode()
    write = reverse("sharing:message", args=[case.reference])
    assert police.get(write).status_code == 200
    data = {"agency": agency, "subject": "Synthetic", "text": "Synthetic.", "basis": "welfare_duty"}
    assert police.post(write, data).status_code == 302
    admin = sign_in(make_user("administrator"))
    assert (
        admin.post(reverse("sharing:new_agency"), {"name": "Example School Service", "kind": "education"}).status_code
        == 302
    )
    assert "Example School Service" in admin.get(reverse("sharing:agencies")).content.decode()
