"""Platforms, keys, banks, reports, notices: each step with its right, its refusals and its ledger entry."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.exchange.makers import make_key, make_own_bank, make_platform, manager
from tests.casework.factories import make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.exchange import banks, notices, queries, reports, services
from safelight.casework.exchange.models import ApiKey, PlatformReport, Suspension
from safelight.casework.exchange.publishing import folder, publish_all, reconcile
from safelight.casework.exchange.work import items_for
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.ledger.models import LedgerEntry
from safelight.exchange.errors import BadQuery
from safelight.exchange.keys import KeyRing

pytestmark = pytest.mark.django_db
MD5 = "0a" * 16


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    settings.DATA = tmp_path


class TestKeys:
    def test_a_key_is_shown_once_and_kept_as_its_digest(self, django_capture_on_commit_callbacks):
        """Whoever copies the database would hold every platform's key."""
        boss = manager()
        with django_capture_on_commit_callbacks(execute=True):
            key, token = make_key(boss, make_platform(boss))
        secret = token.rpartition("_")[2] if token.count("_") == 2 else token.split("_", 2)[2]
        assert secret not in str(ApiKey.objects.values().get(pk=key.pk))
        assert not any(secret in json.dumps(entry.payload) for entry in LedgerEntry.objects.all())
        assert secret not in (folder() / "keys.json").read_text()
        assert (folder() / "keys.json").stat().st_mode & 0o077 == 0
        ring = KeyRing(folder() / "keys.json")
        ring.refresh()
        assert ring.authenticate(token, "lookup").number == key.pk

    def test_rotation_lets_both_work_for_a_while_and_never_longer_than_before(self):
        boss = manager()
        old, _ = make_key(boss, make_platform(boss), days=5)
        new, _ = services.rotate_key(boss, old, days=90, overlap_days=7)
        old.refresh_from_db()
        assert (old.state(), new.state(), new.scopes) == ("active", "active", old.scopes)
        assert old.expires_at <= old.issued_at + timedelta(days=5)
        with pytest.raises(NotPossible):
            services.rotate_key(boss, old, days=90, overlap_days=7)
        services.rotate_key(boss, new, days=90, overlap_days=0)
        new.refresh_from_db()
        assert new.state() == "revoked"

    @pytest.mark.parametrize(
        "wrong", [{"scopes": []}, {"scopes": ["everything"]}, {"days": 0}, {"days": 10_000}, {"label": " "}]
    )
    def test_a_key_without_end_or_purpose_is_not_made(self, wrong):
        boss = manager()
        fields = {"label": "x", "scopes": ["lookup"], "days": 30, **wrong}
        with pytest.raises(Invalid):
            services.issue_key(boss, make_platform(boss), **fields)

    def test_suspended_by_the_watch_lifted_only_by_the_exchange_manager_for_a_reason(self):
        """A prober would be let back in by a machine, or by anybody."""
        boss, admin = manager(), make_user("administrator")
        key, _ = make_key(boss, make_platform(boss))
        assert services.suspend_key(None, key, rule="cluster", counted=130) is not None
        assert services.suspend_key(None, key, rule="odd", counted=16) is None, "once is enough"
        assert key.state() == "suspended"
        told = items_for(boss)
        assert [item.urgent for item in told] == [True]
        assert "probing" in told[0].title
        assert [item.urgent for item in items_for(admin)] == [False]
        assert items_for(make_user("investigator")) == []
        with pytest.raises(NotAllowed):
            services.lift_suspension(admin, key, reason="x")
        with pytest.raises(Invalid):
            services.lift_suspension(boss, key, reason=" ")
        services.lift_suspension(boss, key, reason="Their test team, agreed by telephone.")
        assert ApiKey.objects.get(pk=key.pk).state() == "active"
        verbs = list(
            LedgerEntry.objects.filter(verb__startswith="key.").order_by("pk").values_list("verb", "actor_name")
        )
        assert [verb for verb, _ in verbs] == ["key.issued", "key.suspended", "key.lifted"]
        assert verbs[1][1] == "Safelight"

    def test_an_administrator_may_stop_a_key_and_not_give_one(self):
        boss, admin = manager(), make_user("administrator")
        key, _ = make_key(boss, make_platform(boss))
        services.suspend_key(admin, key, note="Seen in a public paste.")
        services.revoke_key(admin, key, reason="Leaked.")
        for refused in (lambda: make_platform(admin), lambda: make_key(admin, key.platform)):
            with pytest.raises(NotAllowed):
                refused()
        for role in ("supervisor", "investigator", "examiner", "referral_desk"):
            with pytest.raises(NotAllowed):
                services.suspend_key(make_user(role), key, note="x")

    def test_closing_a_platform_closes_its_keys(self):
        boss = manager()
        platform = make_platform(boss)
        key, token = make_key(boss, platform)
        services.close_platform(boss, platform, reason="Agreement ended.")
        publish_all()
        ring = KeyRing(folder() / "keys.json")
        ring.refresh()
        with pytest.raises(Exception, match="revoked"):
            ring.authenticate(token)
        with pytest.raises(NotPossible):
            make_key(boss, ApiKey.objects.get(pk=key.pk).platform)

    def test_the_database_itself_refuses_a_suspension_lifted_by_nobody(self):
        boss = manager()
        key, _ = make_key(boss, make_platform(boss))
        with pytest.raises(IntegrityError), transaction.atomic():
            Suspension.objects.create(key=key, at=timezone.now(), rule="odd", lifted_at=timezone.now())

    @pytest.mark.parametrize("wrong", [{"per_minute": 0}, {"per_day": 5, "per_minute": 10}, {"agreement": " "}])
    def test_no_platform_without_terms(self, wrong):
        with pytest.raises(Invalid):
            make_platform(manager(), **wrong)


class TestBanks:
    def test_an_entry_is_published_after_the_commit_and_once(self, django_capture_on_commit_callbacks):
        boss = manager()
        with django_capture_on_commit_callbacks(execute=True):
            bank = make_own_bank(boss)
            content = banks.add_content(boss, bank, signals={"video_md5": MD5.upper(), "pdq": "0f" * 32})
        assert banks.add_content(boss, bank, signals={"pdq": "0f" * 32, "md5": MD5}).pk == content.pk
        (line,) = map(json.loads, (folder() / "changes.jsonl").read_text().splitlines())
        assert line == {
            "op": "add", "bank": bank.pk, "content": content.pk, "signals": {"md5": MD5, "pdq": "0f" * 32}
        }  # fmt: skip
        with django_capture_on_commit_callbacks(execute=True):
            assert banks.withdraw(boss, bank, content.pk, reason="False match.")
            assert not banks.withdraw(boss, bank, content.pk, reason="False match.")
        assert len((folder() / "changes.jsonl").read_text().splitlines()) == 2
        assert not reconcile(), "everything is published"

    def test_what_a_crash_kept_from_being_published_is_published_later(self, django_capture_on_commit_callbacks):
        """A false match that was withdrawn would go on being told."""
        boss = manager()
        with django_capture_on_commit_callbacks(execute=True):
            bank = make_own_bank(boss)
            content = banks.add_content(boss, bank, signals={"md5": MD5})
        banks.withdraw(boss, bank, content.pk, reason="False match.")  # the process dies before it publishes
        assert reconcile()
        assert (folder() / "changes.jsonl").read_text() == ""
        assert not reconcile()

    def test_only_known_lists_are_shared_and_rows_can_be_withheld(self):
        boss = manager()
        shared = {
            "version": "1", "root": "0" * 64, "folder": "x", "source": "Synthetic", "legal_basis": "Synthetic",
            "file_name": "x", "file_sha256": "0" * 64, "format": "csv", "imported_at": timezone.now(),
            "imported_by": boss, "counts": {"entries": 3},
        }  # fmt: skip
        good = HashSetRecord.objects.create(name="Synthetic good", kind="known-good", **shared)
        known = HashSetRecord.objects.create(name="Synthetic known", kind="known", **shared)
        with pytest.raises(NotPossible):
            banks.make_bank(boss, name="GOOD", purpose="x", hash_set=good)
        bank = banks.make_bank(boss, name="known", purpose="x", hash_set=known)
        assert bank.name == "KNOWN"
        with pytest.raises(NotPossible):
            banks.add_content(boss, bank, signals={"md5": MD5})
        with pytest.raises(Invalid):
            banks.withdraw(boss, bank, 3, reason="x")
        assert banks.withdraw(boss, bank, 2, reason="x")
        row = bank.withdrawn_rows.get()
        banks.restore(boss, row)
        with pytest.raises(NotPossible):
            banks.restore(boss, row)

    @pytest.mark.parametrize("name", ["", "é", "1_A", "A-B", "A B"])
    def test_a_name_that_programs_cannot_write_is_refused(self, name):
        with pytest.raises(Invalid):
            banks.make_bank(manager(), name=name, purpose="x")


def report(platform, **fields):
    values = {"signal_type": "md5", "signal": MD5, "detected_at": timezone.now() - timedelta(hours=30)}
    return reports.receive_report(platform, **{**values, **fields})


class TestReports:
    def test_the_same_finding_is_one_report_however_often_and_by_whom(self):
        """A child's picture would be counted, and chased, three times over."""
        boss = manager()
        first, second = make_platform(boss), make_platform(boss)
        made, new = report(first, url="https://example.org/a", ncmec_report_id="123")
        assert new
        assert report(first, url="https://example.org/a")[0] == made
        again, fresh = report(second, url="https://example.org/other", ncmec_report_id="123", nca_reference="N-1")
        assert (again, fresh) == (made, False)
        made.refresh_from_db()
        assert (made.repeated, made.nca_reference) == (2, "N-1")
        assert report(first, url="https://example.org/b")[1]
        with pytest.raises(Invalid, match="another number"):
            report(first, url="https://example.org/a", ncmec_report_id="999")
        assert PlatformReport.objects.count() == 2

    @pytest.mark.parametrize(
        ("fields", "runs"),
        [({}, True), ({"uk_linked": True}, True), ({"uk_linked": False}, False), ({"ncmec_report_id": "1"}, False)],
    )
    def test_the_clock_of_the_report_runs_only_where_one_is_due(self, fields, runs):
        """Online Safety Act 2023 s.66: no second report beside NCMEC's; UK-linked for those outside."""
        made, _ = report(make_platform(manager()), **fields)
        clocks = Clock.objects.open().filter(rule="osa_report_to_nca", subject_id=made.pk)
        assert clocks.exists() is runs
        if runs:
            assert clocks.get().triggered_at == made.detected_at

    def test_it_stops_when_the_report_is_made_and_is_chased_before(self):
        boss = manager()
        made, _ = report(make_platform(boss))
        assert any("National Crime Agency" in item.title for item in items_for(boss))
        with pytest.raises(Invalid):
            reports.complete_report(boss, made)
        reports.complete_report(boss, made, nca_reference="N-7")
        clock = Clock.objects.get(rule="osa_report_to_nca", subject_id=made.pk)
        assert clock.stopped_at is not None
        assert items_for(boss) == []

    @pytest.mark.parametrize(
        ("fields", "error"),
        [
            ({"signal": "zz"}, BadQuery), ({"url": "javascript:alert(1)"}, Invalid),
            ({"url": "https://é.example"}, Invalid),
            ({"url": "https://[::1"}, Invalid), ({"url": "https://example.org/" + "x" * 1000}, Invalid),
            ({"detected_at": timezone.now() + timedelta(hours=1)}, Invalid), ({"content_id": "a\x00b"}, Invalid),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused(self, fields, error):
        with pytest.raises(error):
            report(make_platform(manager()), **fields)
        assert not PlatformReport.objects.exists()

    def test_exports_name_the_schedule_that_the_site_has_set_and_never_guess_it(self, settings):
        """An invented form would be taken for the law's."""
        from safelight.casework.referrals.importers.detect import read

        boss = manager()
        made, _ = report(make_platform(boss), url="https://example.org/<a>&b", ncmec_report_id="77", content_id="c-1")
        row = json.loads(reports.export_reports(boss, [made], form="json", recipient="NCA (synthetic)"))
        assert (row["schedule"], row["reports"][0]["hash"]) == ("SYNTHETIC schedule 1", {"type": "md5", "value": MD5})
        xml = reports.export_reports(boss, [made], form="xml", recipient="NCA (synthetic)")
        (parsed,) = read(xml, now=timezone.now()).records
        assert (parsed.source_reference, parsed.platform) == ("77", made.platform.name)
        entry = LedgerEntry.objects.filter(verb="platform_report.exported").first()
        assert (entry.recipient, entry.category) == ("NCA (synthetic)", "disclosure")
        settings.SITE_STANDARDS = None
        for form, setting in (("json", "osa_report_schedule"), ("xml", "cybertip_incident_type")):
            with pytest.raises(NotPossible, match=setting):
                reports.export_reports(boss, [made], form=form, recipient="NCA (synthetic)")


def notice(boss, platform, **fields):
    return notices.send_notice(boss, platform, **{"url": "https://example.org/x", "recipient": "Trust team", **fields})


class TestNotices:
    def test_the_clock_runs_from_notice_to_removal_and_is_chased(self):
        boss = manager()
        sent = notice(boss, make_platform(boss), sent_at=timezone.now() - timedelta(hours=30))
        clock = Clock.objects.get(rule="takedown_removal", subject_id=sent.pk)
        assert (clock.due_at - clock.triggered_at) == timedelta(hours=24)
        assert [item.title for item in items_for(boss)] == ["Chase the removal"]
        notices.chase(boss, sent, how="By telephone")
        assert items_for(boss) == [], "not again on the same day"
        sent.chases.update(at=timezone.now() - timedelta(hours=25))
        assert len(items_for(boss)) == 1
        with pytest.raises(Invalid):
            notices.record_removal(boss, sent, told_by="x", removed_at=sent.sent_at - timedelta(hours=1))
        notices.record_removal(boss, sent, told_by="Their team", removed_at=timezone.now())
        clock.refresh_from_db()
        assert clock.stopped_at is not None
        assert items_for(boss) == []
        for again in (
            lambda: notices.chase(boss, sent, how="x"), lambda: notices.record_refusal(boss, sent, reason="x"),
            lambda: notices.record_removal(boss, sent, told_by="x"),
        ):  # fmt: skip
            with pytest.raises(NotPossible):
                again()

    def test_one_open_notice_for_one_place(self):
        boss = manager()
        platform = make_platform(boss)
        sent = notice(boss, platform)
        with pytest.raises(NotPossible, match=sent.reference):
            notice(boss, platform)
        notices.record_refusal(boss, sent, reason="They say it is lawful.")
        assert notice(boss, platform).pk != sent.pk

    def test_availability_counts_what_is_still_there(self):
        """A mean over what was removed would praise a platform that removes one in ten."""
        boss = manager()
        platform = make_platform(boss)
        now = timezone.now()
        for place in range(10):
            sent = notice(boss, platform, url=f"https://example.org/{place}", sent_at=now - timedelta(hours=100))
            if place < 3:
                notices.record_removal(boss, sent, told_by="x", removed_at=now - timedelta(hours=98))
            elif place == 3:
                notices.record_refusal(boss, sent, reason="x")
        whole, own = queries.availability()
        assert (whole.notices, whole.removed, whole.refused, whole.waiting) == (10, 3, 1, 6)
        assert own.summary.median is None, "fewer than half are known to be gone"
        assert own.summary.finished_median == pytest.approx(2.0, abs=0.1), "what the flattering figure would say"
        assert own.summary.met.estimate == pytest.approx(0.3, abs=0.01)
