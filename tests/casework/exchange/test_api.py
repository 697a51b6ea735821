"""What platforms call, through Django's whole request path with the exchange's own settings."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from tests.casework.exchange.makers import make_key, make_own_bank, make_platform, manager
from tests.exchange.test_service import picture

from safelight.casework.exchange import api_frame, banks, notices, services
from safelight.casework.exchange.collecting import collect
from safelight.casework.exchange.models import ApiKey, BankContent, Hit, LookupTally, PlatformReport
from safelight.casework.exchange.publishing import folder, publish_all
from safelight.casework.ledger.models import LedgerEntry
from safelight.exchange.service import LookupService
from safelight.web import exchange_settings

pytestmark = pytest.mark.django_db
MD5, PDQ = "0a" * 16, "0f" * 32


class Caller:
    """A platform's program."""

    def __init__(self, token: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **data):
        return self.client.get(path, data, headers=self.headers)

    def post(self, path: str, data, content_type: str = "application/json"):
        return self.client.post(path, data, content_type=content_type, headers=self.headers)

    def photo(self, path: str, body: bytes):
        return self.client.post(path, {"photo": SimpleUploadedFile("p.png", body)}, headers=self.headers)


@pytest.fixture
def exchange(settings, tmp_path):
    settings.DATA = tmp_path
    settings.ROOT_URLCONF = exchange_settings.ROOT_URLCONF
    settings.MIDDLEWARE = exchange_settings.MIDDLEWARE
    settings.FILE_UPLOAD_HANDLERS = exchange_settings.FILE_UPLOAD_HANDLERS
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = exchange_settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    settings.EXCHANGE_ANSWER_GRID = 0
    boss = manager()
    bank = make_own_bank(boss, "KNOWN")
    banks.add_content(boss, bank, signals={"md5": MD5, "pdq": PDQ})
    platform = make_platform(boss, held=[bank])
    _, token = make_key(boss, platform)
    publish_all()
    yield boss, bank, platform, Caller(token)
    api_frame.close_service()


def entry_of(bank) -> int:
    return bank.contents.order_by("pk").first().pk


class TestShapesOfHma:
    def test_lookup_by_hash_in_both_ways(self, exchange):
        """A platform that uses HMA's client today would have to be rewritten."""
        _, bank, _, caller = exchange
        expected = {"KNOWN": [{"bank_content_id": entry_of(bank), "distance": "0"}]}
        answer = caller.get("/m/lookup", signal_type="pdq", signal=PDQ)
        assert (answer.status_code, answer.json()) == (200, expected)
        assert answer["X-Safelight-Request"]
        assert answer["Cache-Control"] == "no-store"
        posted = caller.post("/m/lookup", {"signal_type": "video_md5", "signal": MD5})
        assert posted.json() == expected
        assert caller.get("/m/lookup", signal_type="md5", signal="00" * 16).json() == {}
        assert caller.get("/m/lookup", signal_type="pdq", signal=PDQ, banks="OTHER").json() == {}

    def test_raw_lookup_compare_and_status(self, exchange):
        _, bank, _, caller = exchange
        near = "0f" * 31 + "0e"
        raw = caller.get("/m/raw_lookup", signal_type="pdq", signal=near)
        assert raw.json() == {"matches": [entry_of(bank)]}
        far = caller.get("/m/raw_lookup", signal_type="pdq", signal=near, include_distance="true").json()
        assert far == {"matches": [{"content_id": entry_of(bank), "bank": "KNOWN", "distance": "1"}]}
        compared = caller.post("/m/compare", {"pdq": [PDQ, near], "md5": [MD5, "00" * 16]}).json()
        assert compared == {"pdq": [True, {"distance": "1"}], "md5": [False, {"distance": "-"}]}
        assert caller.get("/status").json() == {"status": "ok"}
        assert caller.get("/m/index/status", signal_type="pdq").json()["pdq"]["size"] == 1
        assert {row["name"] for row in caller.get("/c/signal_type").json()} >= {"pdq", "video_md5"}
        assert caller.get("/c/content_type").status_code == 200

    def test_a_picture_is_hashed_and_looked_up(self, exchange, tmp_path):
        boss, bank, _, caller = exchange
        body = picture()
        hashes = caller.photo("/h/hash", body).json()
        assert set(hashes) == {"pdq", "md5", "sha1", "sha256"}
        added = caller.photo("/c/bank/KNOWN/content", body).json()
        assert added["signals"] == hashes
        publish_all()
        api_frame.service().refresh()
        told = caller.photo("/m/lookup", body).json()
        assert told["pdq"]["KNOWN"] == [{"bank_content_id": added["id"], "distance": "0"}]
        assert not any(body[:64] in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    def test_banks_are_kept_through_the_api(self, exchange):
        _, bank, platform, caller = exchange
        made = caller.post("/c/banks", {"name": "NEW_BANK"})
        assert (made.status_code, made.json()) == (201, {"name": "NEW_BANK", "matching_enabled_ratio": 1.0})
        assert [row["name"] for row in caller.get("/c/banks").json()] == ["KNOWN", "NEW_BANK"]
        added = caller.post("/c/bank/NEW_BANK/signal", {"sha1": "AB" * 20}).json()
        assert added["signals"] == {"sha1": "ab" * 20}
        assert caller.get(f"/c/bank/NEW_BANK/content/{added['id']}").json() == added
        gone = caller.client.delete(f"/c/bank/NEW_BANK/content/{added['id']}", headers=caller.headers)
        assert gone.json() == {"deleted": 1}
        assert BankContent.objects.get(pk=added["id"]).withdrawn_at is not None
        changed = caller.client.put(
            "/c/bank/NEW_BANK", {"enabled": False}, content_type="application/json", headers=caller.headers
        )
        assert changed.json()["matching_enabled_ratio"] == 0.0
        assert caller.client.delete("/c/bank/NEW_BANK", headers=caller.headers).json() == {"message": "Done"}
        entry = LedgerEntry.objects.filter(verb="bank.content_added").last()
        assert entry.payload["platform"] == platform.reference

    def test_another_platforms_bank_does_not_exist(self, exchange):
        boss, _, _, caller = exchange
        make_own_bank(boss, "OTHER")
        for answer in (caller.get("/c/bank/OTHER"), caller.post("/c/bank/OTHER/signal", {"md5": MD5})):
            assert (answer.status_code, answer.json()["code"]) == (404, "no_such_bank")


class TestBatch:
    def test_many_at_once_in_order(self, exchange):
        _, bank, _, caller = exchange
        queries = [{"signal_type": "md5", "signal": f"{place:032x}"} for place in range(999)]
        queries.insert(500, {"signal_type": "pdq", "signal": PDQ})
        answer = caller.post("/m/lookup_batch", {"queries": queries}).json()
        found = [place for place, row in enumerate(answer["results"]) if row["matches"]]
        assert (len(answer["results"]), found) == (1000, [500])

    @pytest.mark.parametrize(
        ("queries", "status", "code"),
        [
            ([], 400, "nothing_asked"), ([{"signal_type": "md5", "signal": MD5}] * 1001, 413, "batch_too_large"),
            ([{"signal_type": "md5", "signal": MD5}, {"signal_type": "md5", "signal": "0"}], 400, "malformed_hash"),
            ([{"signal_type": "md5"}], 400, "bad_request"), ("x", 400, "bad_request"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_answered_is_named(self, exchange, queries, status, code):
        *_, caller = exchange
        answer = caller.post("/m/lookup_batch", {"queries": queries})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        if code == "malformed_hash":
            assert "Query 1" in answer.json()["message"]


class TestBadInput:
    """One clear JSON object each, never a trace."""

    def test_each(self, exchange):
        boss, _, platform, good = exchange
        expired, late = make_key(boss, platform)
        ApiKey.objects.filter(pk=expired.pk).update(
            issued_at=timezone.now() - timedelta(days=9), expires_at=timezone.now() - timedelta(days=1)
        )
        stopped, halted = make_key(boss, platform)
        services.suspend_key(boss, stopped, note="Synthetic.")
        _, narrow = make_key(boss, platform, scopes=["report"])
        publish_all()
        api_frame.service().refresh()
        ask = ("/m/lookup", {"signal_type": "md5", "signal": MD5})
        cases = [
            (Caller("").post(*ask), 401, "no_key"),
            (Caller("slx_000000000000_x").post(*ask), 401, "unknown_key"),
            (Caller("nonsense").post(*ask), 401, "unknown_key"),
            (Caller(late).post(*ask), 401, "expired_key"),
            (Caller(halted).post(*ask), 403, "suspended_key"),
            (Caller(narrow).post(*ask), 403, "out_of_scope"),
            (Caller(narrow).post("/c/banks", {"name": "X"}), 403, "out_of_scope"),
            (good.post("/m/lookup", {"signal_type": "md5", "signal": "xyz"}), 400, "malformed_hash"),
            (good.post("/m/lookup", {"signal_type": "pdq", "signal": "00"}), 400, "malformed_hash"),
            (good.post("/m/lookup", {"signal_type": "tmk", "signal": "00"}), 400, "unknown_signal_type"),
            (good.post("/m/lookup", "{", "application/json"), 400, "bad_request"),
            (good.post("/m/lookup", "x" * (10 << 20), "application/json"), 413, "too_large"),
            (good.photo("/m/lookup", b"\0" * (10 << 20)), 413, "too_large"),
            (good.photo("/m/lookup", b"%PDF-1.7 no picture"), 422, "not_hashable"),
            (good.photo("/m/lookup", b""), 400, "no_picture"),
            (good.client.post("/m/lookup", {"x": "y"}, headers=good.headers), 400, "no_picture"),
            (good.client.post("/m/lookup", "--x", "multipart/form-data", headers=good.headers), 400, None),
            (good.get("/m/lookup"), 400, "nothing_asked"),
            (good.get("/m/lookup", url="https://example.org/a.jpg"), 400, "no_fetching"),
            (good.get("/nothing"), 404, "no_such_address"),
            (good.client.put("/m/lookup", headers=good.headers), 405, "method_not_allowed"),
            (good.post("/reports", {"signal_type": "md5", "signal": MD5}), 400, "bad_request"),
            (good.get("/c/bank/KNOWN/content/" + "9" * 40), 404, "no_such_content"),
            (good.get("/c/bank/KNOWN/content/x"), 400, "bad_request"),
            (good.post("/c/banks", {"name": "a b"}), 409, "not_possible"),
            (good.post("/notices/TN-9/removed", {}), 404, "no_such_notice"),
            (good.get("/m/lookup", signal_type="md5\x00", signal=MD5), 400, "unknown_signal_type"),
        ]
        for place, (answer, status, code) in enumerate(cases):
            assert answer.status_code == status, (place, answer.content)
            said = answer.json()
            assert set(said) == {"code", "message"}
            assert code in (None, said["code"]), place
            assert "\n" not in said["message"] and "Traceback" not in said["message"]

    @pytest.mark.parametrize("name", ["%00", "K%00NOWN", "known", "x" * 5000, "%ED%A0%80"])
    def test_what_no_bank_can_be_called_is_no_fault_of_ours(self, exchange, name):
        """One platform's garbled address would fill the operator's log with faults, and be told to try again later."""
        *_, caller = exchange
        there, ask = f"/c/bank/{name}", caller.client
        answers = [
            caller.get(there), ask.delete(there, headers=caller.headers),
            ask.put(there, {"enabled": True}, content_type="application/json", headers=caller.headers),
            caller.post(f"{there}/signal", {"md5": MD5}), caller.photo(f"{there}/content", picture()),
            caller.get(f"{there}/content/1"), ask.delete(f"{there}/content/1", headers=caller.headers),
        ]  # fmt: skip
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (404, "no_such_bank")
            assert len(answer.content) < 300

    @pytest.mark.parametrize("moment", [0, 1764511500, "1764511500", "1764511500000", True, 1.5, "-1"])
    def test_a_number_is_no_moment(self, exchange, moment):
        """Milliseconds read as seconds, or nought as 1970: a report's clock would run from a time that nobody meant."""
        boss, _, platform, caller = exchange
        answer = caller.post("/reports", {"signal_type": "md5", "signal": MD5, "detected_at": moment})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
        assert "2026-11-30T14:05:00Z" in answer.json()["message"]
        notice = notices.send_notice(boss, platform, url="https://example.org/x", recipient="Trust team")
        assert caller.post(f"/notices/{notice.reference}/removed", {"removed_at": moment}).status_code == 400
        assert not PlatformReport.objects.exists()

    @pytest.mark.parametrize("value", ["no", "off", 0, 1, None, "false"])
    def test_yes_and_no_are_said_as_json_says_them(self, exchange, value):
        """A bank switched off, or a report without a UK link, by a word that the platform's program meant otherwise."""
        _, bank, _, caller = exchange
        put = caller.client.put(
            "/c/bank/KNOWN", json.dumps({"enabled": value}), content_type="application/json", headers=caller.headers
        )
        assert put.status_code == 400
        bank.refresh_from_db()
        assert bank.enabled
        if value is not None:  # not said
            body = {"signal_type": "md5", "signal": MD5, "detected_at": timezone.now().isoformat(), "uk_linked": value}
            assert caller.post("/reports", body).status_code == 400

    def test_a_name_too_long_is_refused_and_not_cut(self, exchange):
        """The platform would look for its bank under the name that it gave, and not find it."""
        *_, caller = exchange
        assert caller.post("/c/banks", {"name": "N" * 60}).json()["name"] == "N" * 60
        answer = caller.post("/c/banks", {"name": "M" * 61})
        assert answer.status_code == 409
        assert "at most 60" in answer.json()["message"]

    def test_a_fault_of_ours_is_json_too(self, exchange, monkeypatch):
        *_, caller = exchange

        def broken(*arguments):
            raise RuntimeError("secret detail")

        monkeypatch.setattr(LookupService, "look_up", broken)
        answer = caller.get("/m/lookup", signal_type="md5", signal=MD5)
        assert (answer.status_code, answer.json()["code"]) == (500, "fault")
        assert "secret" not in answer.content.decode()

    def test_over_quota_says_when_to_come_back(self, exchange):
        boss, bank, _, _ = exchange
        _, token = make_key(boss, make_platform(boss, per_minute=1, per_day=1))
        publish_all()
        api_frame.service().refresh()
        caller = Caller(token)
        caller.get("/m/lookup", signal_type="md5", signal=MD5)
        answer = caller.get("/m/lookup", signal_type="md5", signal=MD5)
        assert (answer.status_code, answer.json()["code"]) == (429, "over_quota")
        assert int(answer["Retry-After"]) >= 1


def test_the_description_says_what_each_call_takes(exchange):
    """Whoever generates a client from it could send no hash and no picture."""
    paths = exchange[3].get("/openapi.json").json()["paths"]
    bodies = {path: set(paths[path]["post"]["requestBody"]["content"]) for path in paths if "post" in paths[path]}
    form, body = "multipart/form-data", "application/json"
    assert bodies["/m/lookup"] == {form, body}
    assert bodies["/h/hash"] == bodies["/c/bank/{name}/content"] == {form}
    assert all(kinds == {body} for path, kinds in bodies.items() if form not in kinds)


def test_the_description_names_every_operation_and_needs_no_key_to_be_read(exchange):
    described = Client().get("/openapi.json").json()
    assert {"/m/lookup", "/m/raw_lookup", "/m/lookup_batch", "/c/banks", "/reports"} <= set(described["paths"])
    assert described["components"]["securitySchemes"]["PlatformKey"]["scheme"] == "bearer"
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"PlatformKey": []}], (path, method)


class TestFromLookUpToLedger:
    def test_what_was_told_reaches_the_ledger_once_and_what_was_asked_never(self, exchange):
        """Nobody could say later what left the force; or everybody's innocent pictures would stand in a table."""
        _, bank, platform, caller = exchange
        stranger = "0123456789abcdef" * 4
        first = caller.get("/m/lookup", signal_type="pdq", signal=PDQ)["X-Safelight-Request"]
        caller.get("/m/lookup", signal_type="pdq", signal=stranger)
        caller.photo("/m/lookup", picture(seed=5))
        done = collect()
        assert (done.lookups, done.hits, done.refused, done.faulty) == (3, 1, 0, 0)
        assert collect().lookups == 0, "once"
        hit = Hit.objects.get()
        assert (str(hit.request), hit.bank, hit.content, hit.platform) == (first, bank, entry_of(bank), platform)
        tally = LookupTally.objects.get()
        assert (tally.lookups, tally.hits) == (3, 1)
        segment = LedgerEntry.objects.get(verb="exchange.lookups")
        assert segment.recipient == platform.name
        assert segment.payload["to"] > 0
        assert LedgerEntry.objects.get(verb="exchange.hit").recipient == platform.name
        assert ApiKey.objects.get().last_used_at is not None
        everything = json.dumps([list(LedgerEntry.objects.values_list("payload", flat=True))], default=str)
        assert stranger not in everything
        assert stranger not in b"".join(p.read_bytes() for p in (folder() / "journal").iterdir()).hex()

    def test_a_crash_while_collecting_counts_nothing_twice(self, exchange, monkeypatch):
        from safelight.casework.exchange import collecting

        _, bank, _, caller = exchange
        caller.get("/m/lookup", signal_type="pdq", signal=PDQ)

        def crash(*arguments, **more):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(collecting, "record", crash)
            with pytest.raises(KeyboardInterrupt):
                collect()
        assert (Hit.objects.count(), LookupTally.objects.count()) == (0, 0)
        assert collect().hits == 1
        assert Hit.objects.count() == 1

    def test_probing_ends_in_a_suspended_key_and_a_person_told(self, exchange, settings):
        """The service would teach somebody how far a picture must be changed."""
        from safelight.casework.exchange.work import items_for

        boss, _, platform, caller = exchange
        number = int(PDQ, 16)
        statuses = [
            caller.post("/m/lookup", {"signal_type": "pdq", "signal": f"{number ^ 1 << bit:064x}"}).status_code
            for bit in range(40)
        ]
        assert 200 in statuses and statuses[-1] == 403
        assert collect().suspended == 1
        key = ApiKey.objects.get()
        assert key.state() == "suspended"
        assert key.suspensions.get().rule == "odd"
        settings.ROOT_URLCONF = "safelight.web.urls"
        assert "probing" in items_for(boss)[0].title
        settings.ROOT_URLCONF = exchange_settings.ROOT_URLCONF
        services.lift_suspension(boss, key, reason="A test of theirs.")
        publish_all()
        api_frame.service().refresh()
        assert caller.get("/m/lookup", signal_type="pdq", signal=PDQ).status_code == 200


class TestReportsAndRemovals:
    def test_a_report_names_its_look_up_and_comes_twice(self, exchange):
        _, bank, platform, caller = exchange
        request = caller.get("/m/lookup", signal_type="md5", signal=MD5)["X-Safelight-Request"]
        collect()
        body = {
            "signal_type": "md5", "signal": MD5, "detected_at": timezone.now().isoformat(), "request": request,
            "url": "https://example.org/x", "ncmec_report_id": "55",
        }  # fmt: skip
        first, again = caller.post("/reports", body), caller.post("/reports", body)
        assert (first.status_code, first.json()["duplicate"], first.json()["reported"]) == (201, False, True)
        assert (again.status_code, again.json()["duplicate"]) == (200, True)
        assert PlatformReport.objects.get().hit.bank == bank
        naive = caller.post("/reports", {**body, "detected_at": "2026-11-01T10:00:00"})
        assert (naive.status_code, naive.json()["code"]) == (400, "bad_request")

    def test_a_platform_sees_and_closes_its_own_notices_only(self, exchange):
        boss, _, platform, caller = exchange
        mine = notices.send_notice(boss, platform, url="https://example.org/x", recipient="Trust team")
        other = notices.send_notice(boss, make_platform(boss), url="https://example.org/y", recipient="Trust team")
        (row,) = caller.get("/notices").json()
        assert (row["reference"], bool(row["due_at"])) == (mine.reference, True)
        assert caller.post(f"/notices/{other.reference}/removed", {}).status_code == 404
        assert caller.post(f"/notices/{mine.reference}/removed", {}).json() == {"reference": mine.reference}
        mine.refresh_from_db()
        assert mine.removed_at is not None
        assert caller.post(f"/notices/{mine.reference}/removed", {}).status_code == 409
