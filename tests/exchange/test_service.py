"""Look-ups from key to answer, on a real folder with real files."""

from __future__ import annotations

import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.exchange.folder import SECRET, Folder, flipped, real_codes

from safelight.exchange.errors import BadQuery, NotHashable, OverQuota, Refused, Unavailable
from safelight.exchange.journal import HASH, REFUSED, SUSPENDED, Journal, Record, fingerprint, read_records
from safelight.exchange.pictures import LARGEST, Pictures
from safelight.exchange.query import Query
from safelight.exchange.service import LookupService, release_at


def pdq_of(code) -> Query:
    return Query("pdq", bytes(code))


def journal(path: Path) -> list[Record]:
    found = []
    for file in sorted((path / "journal").iterdir()):
        found += [record for _, record in read_records(file)]
    return found


def picture(size: tuple[int, int] = (96, 96), seed: int = 0) -> bytes:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (12, 12, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def exchange(tmp_path):
    folder = Folder(tmp_path)
    key = folder.key()
    with LookupService(tmp_path, grid=0) as service:
        yield folder, key, service


class TestLookUps:
    def test_each_kind_of_hash_is_found_and_a_stranger_is_not(self, exchange):
        """A known picture would go up unnoticed, or an innocent one be taken down."""
        folder, key, service = exchange
        rng = np.random.default_rng(0)
        near = flipped(folder.codes[7].tobytes(), rng, 10)
        asked = [
            Query("md5", bytes([1]) + (3).to_bytes(15)), Query("sha1", (4).to_bytes(20)),
            Query("sha256", (5).to_bytes(32)), pdq_of(folder.codes[6]), pdq_of(near),
            pdq_of(real_codes(1, 99)[0]), Query("md5", bytes(16)),
        ]  # fmt: skip
        answers = service.look_up(key.token, asked).answers
        assert [[(hit.content, hit.distance) for hit in answer.hits] for answer in answers] == [
            [(3, 0)], [(4, 0)], [(5, 0)], [(6, 0)], [(7, 20)], [], [],
        ]  # fmt: skip

    def test_a_change_is_served_within_a_second(self, exchange):
        """A picture withdrawn as a false match would go on taking people's uploads down."""
        folder, key, service = exchange
        code = real_codes(1, 5)[0].tobytes()

        def found(query: Query) -> list[str]:
            return [hit.name for hit in service.look_up(key.token, [query]).answers[0].hits]

        def within_a_second(query: Query, expected: list[str]) -> None:
            began = time.monotonic()
            while found(query) != expected:
                assert time.monotonic() - began < 5, "never served"
                time.sleep(0.05)

        assert found(Query("pdq", code)) == []
        folder.add(9, pdq=code, md5=bytes([9] * 16))
        within_a_second(Query("pdq", code), ["OWN"])
        assert found(Query("md5", bytes([9] * 16))) == ["OWN"]
        folder.change("withdraw", 2, 9)
        within_a_second(Query("pdq", code), [])
        assert found(Query("md5", bytes([9] * 16))) == []
        folder.change("withdraw", 1, 6)
        within_a_second(pdq_of(folder.codes[6]), [])
        assert found(Query("sha256", (6).to_bytes(32))) == []
        folder.change("restore", 1, 6)
        within_a_second(pdq_of(folder.codes[6]), ["NATIONAL"])

    def test_a_key_sees_only_its_banks(self, exchange):
        folder, _, service = exchange
        key = folder.key(banks=[2])
        service.refresh()
        assert service.look_up(key.token, [pdq_of(folder.codes[0])]).answers[0].hits == ()

    def test_distances_are_told_only_to_keys_that_may_see_them(self, exchange):
        """A distance tells somebody who changes a picture which way to go on."""
        folder, _, service = exchange
        key = folder.key(scopes=["lookup"])
        service.refresh()
        near = flipped(folder.codes[7].tobytes(), np.random.default_rng(0), 3)
        assert [hit.distance for hit in service.look_up(key.token, [Query("pdq", near)]).answers[0].hits] == [31]

    def test_a_broken_file_stops_nothing_that_is_served(self, exchange):
        """One bad publication would open every platform."""
        folder, key, service = exchange
        (folder.path / "banks.json").write_text("{")
        service.refresh()
        assert "banks.json" in service.problem
        assert service.look_up(key.token, [pdq_of(folder.codes[0])]).answers[0].hits


class TestWhoMayAsk:
    def test_every_unwelcome_key_is_told_why_in_one_line(self, exchange):
        """An open oracle would help the wrong people."""
        folder, good, service = exchange
        ask = [pdq_of(folder.codes[0])]
        cases = {
            "no_key": "", "unknown_key": good.token[:-1] + ("A" if good.token[-1] != "A" else "B"),
            "expired_key": folder.key(expires_at=time.time() - 1).token,
            "revoked_key": folder.key(revoked=True).token, "suspended_key": folder.key(suspended=True).token,
            "out_of_scope": folder.key(scopes=["report"]).token,
        }  # fmt: skip
        service.refresh()
        for code, token in cases.items():
            with pytest.raises(Refused) as refusal:
                service.look_up(token, ask)
            assert refusal.value.code == code
            assert "\n" not in str(refusal.value)
        for odd in ("slx", "slx_", "slx__", "_" * 9, "slx_" + good.public_id, "é" * 300):
            with pytest.raises(Refused):
                service.look_up(odd, ask)
        assert service.look_up(good.token, ask).answers[0].hits

    def test_quotas_hold_over_all_keys_of_a_platform_and_are_recorded(self, exchange):
        folder, _, service = exchange
        first, second = (folder.key(platform=7, per_minute=10) for _ in range(2))
        service.refresh()
        service.look_up(first.token, [pdq_of(folder.codes[0])] * 8)
        with pytest.raises(OverQuota) as refusal:
            service.look_up(second.token, [pdq_of(folder.codes[0])] * 3)
        assert 1 <= refusal.value.retry_after <= 60
        service.look_up(second.token, [pdq_of(folder.codes[0])] * 2)
        assert [record.kind for record in journal(folder.path)].count(REFUSED) == 1

    @pytest.mark.parametrize(
        ("kind", "value", "code"),
        [
            ("pdq", "00" * 31, "malformed_hash"), ("md5", "zz" * 16, "malformed_hash"), ("md5", "", "malformed_hash"),
            ("tmk", "00" * 32, "unknown_signal_type"), ("", "00", "unknown_signal_type"),
            ("sha1", "١" * 40, "malformed_hash"), (None, "00", "unknown_signal_type"), ("md5", 7, "malformed_hash"),
        ],
    )  # fmt: skip
    def test_malformed_queries_say_what_and_what_to_do(self, kind, value, code):
        with pytest.raises(BadQuery) as refusal:
            Query.parse(kind, value, "Query 3")
        assert refusal.value.code == code
        assert "Query 3" in str(refusal.value)

    def test_too_much_at_once_and_nothing_at_all(self, exchange):
        _, key, service = exchange
        for queries, code in (([], "nothing_asked"), ([Query("md5", bytes(16))] * 1001, "batch_too_large")):
            with pytest.raises(BadQuery) as refusal:
                service.look_up(key.token, queries)
            assert refusal.value.code == code


class TestJournal:
    def test_nothing_is_answered_that_is_not_on_disk_and_nothing_asked_can_be_read_there(self, exchange):
        """A look that no ledger knows of; or a list of everybody's innocent pictures."""
        folder, key, service = exchange
        asked = real_codes(1, 77)[0].tobytes()
        known = folder.codes[3].tobytes()
        told = service.look_up(key.token, [Query("pdq", asked), Query("pdq", known)])
        records = journal(folder.path)
        assert [(record.kind, record.matches, record.bank, record.content) for record in records] == [
            (HASH, 0, 0, 0), (HASH, 1, 1, 3),
        ]  # fmt: skip
        assert {record.request for record in records} == {told.request.bytes}
        text = b"".join(file.read_bytes() for file in (folder.path / "journal").iterdir())
        assert asked not in text and known not in text
        assert records[0].fingerprint == fingerprint(bytes.fromhex(SECRET), Query("pdq", asked))

    def test_one_flush_serves_all_that_wait(self, tmp_path):
        """A flush for each look-up would cost the platforms their answer times."""
        written = Journal(tmp_path)
        record = Record(HASH, 1, 1, bytes(16)).pack()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: written.write(record), range(400)))
        written.close()
        (file,) = tmp_path.iterdir()
        assert sum(1 for _ in read_records(file)) == 400
        assert written.flushes < 400

    def test_a_full_disk_answers_nothing(self, tmp_path):
        written = Journal(tmp_path)
        os.close(written._file)
        written._file = os.open("/dev/full", os.O_WRONLY)
        for _ in range(2):
            with pytest.raises(Unavailable):
                written.write(Record(HASH, 1, 1, bytes(16)).pack())
        written.close()

    def test_a_torn_or_changed_record_is_seen(self, tmp_path):
        whole = Record(HASH, 5, 6, bytes(16), "md5", 1, 0, bytes(32), 2, 3)
        path = tmp_path / "x.slj"
        path.write_bytes(whole.pack() + b"\0" + whole.pack()[1:] + whole.pack()[:20])
        assert [record for _, record in read_records(path)] == [whole, None]


class TestPictures:
    def test_a_picture_is_hashed_in_memory_and_matched(self, exchange, monkeypatch):
        """The bytes of somebody's picture would lie on our disk."""
        folder, key, service = exchange
        body = picture()
        hashed = service.hash_picture(key.token, body)
        assert [query.algorithm for query in hashed.queries] == ["pdq", "md5", "sha1", "sha256"]
        folder.add(1, pdq=hashed.queries[0].value)
        service.refresh()
        _, told = service.look_up_picture(key.token, body)
        assert [[hit.name for hit in answer.hits] for answer in told.answers] == [["OWN"], [], [], []]
        for path in folder.path.rglob("*"):
            assert path.is_dir() or body[:64] not in path.read_bytes()

    def test_a_decoder_that_does_not_start_is_our_fault_and_not_the_pictures(self, exchange, monkeypatch, caplog):
        """A platform would take every picture for none that can be known, let it up, and nobody would hear of it."""
        _, key, service = exchange
        pictures = Pictures()
        monkeypatch.setattr(pictures._pool, "_module", "safelight.triage.no_such_worker")
        monkeypatch.setattr(service, "pictures", pictures)
        with pytest.raises(Unavailable, match="not looked at"):
            service.look_up_picture(key.token, picture())
        assert "could not be started" in caplog.text
        pictures.close()

    def test_what_is_no_picture_costs_one_clear_line(self):
        made = Pictures()
        bomb = io.BytesIO()
        Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
        flat = io.BytesIO()
        Image.new("RGB", (64, 64), "white").save(flat, "PNG")
        try:
            for body, error, word in (
                (b"", BadQuery, "empty"), (b"\0" * (LARGEST + 1), BadQuery, "at most"),
                (b"%PDF-1.7", NotHashable, "no picture"),
                (picture()[:300], NotHashable, "decoded"), (bomb.getvalue(), NotHashable, "pixels"),
            ):  # fmt: skip
                with pytest.raises(error) as refusal:
                    made.hash(body)
                assert word in str(refusal.value)
            assert [query.algorithm for query in made.hash(flat.getvalue()).queries] == ["md5", "sha1", "sha256"]
        finally:
            made.close()


class TestTimeOfAnswer:
    @pytest.mark.parametrize("work", [0.0001, 0.0007, 0.0031, 0.0049])
    def test_it_leaves_at_the_same_moment_whatever_the_work(self, work):
        """An onlooker who cannot read the answer would read it off the clock."""
        assert release_at(10.0, 10.0 + work, 0.005) == pytest.approx(10.005)

    def test_long_work_leaves_at_the_next_whole_step(self):
        assert release_at(10.0, 10.0071, 0.005) == pytest.approx(10.010)
        assert release_at(10.0, 10.0071, 0) == 10.0071

    def test_hits_and_misses_wait_for_the_same_moment(self, tmp_path):
        folder = Folder(tmp_path)
        key = folder.key()
        slept: list[float] = []
        now = threading.local()

        def clock() -> float:
            now.value = getattr(now, "value", 0.0) + 0.0002
            return now.value

        with LookupService(tmp_path, clock=clock, sleep=slept.append) as service:
            for code in (folder.codes[0], real_codes(1, 9)[0]):
                service.look_up(key.token, [pdq_of(code)])
        assert slept[0] == pytest.approx(slept[1])


class TestProbing:
    def test_walking_away_from_a_listed_picture_ends_with_the_key_suspended_everywhere(self, tmp_path):
        """Somebody would change a picture step by step until no platform recognises it."""
        folder = Folder(tmp_path)
        key, other = folder.key(), folder.key(platform=2)
        rng = np.random.default_rng(4)
        code = folder.codes[0].tobytes()
        with LookupService(tmp_path, grid=0) as service, LookupService(tmp_path, grid=0) as second:
            asked = 0
            with pytest.raises(Refused) as refusal:
                while asked < 1000:
                    code = flipped(code, rng, 1)
                    service.look_up(key.token, [Query("pdq", code)])
                    asked += 1
            assert refusal.value.code == "suspended_key"
            assert asked < 140
            for where in (service, second):
                with pytest.raises(Refused):
                    where.look_up(key.token, [pdq_of(folder.codes[1])])
            second.look_up(other.token, [pdq_of(folder.codes[1])])
            last = journal(tmp_path)[-2:]
            assert SUSPENDED in {record.kind for record in last}
            # A person lifts it: what was counted before does not count again.
            folder.keys[0]["cleared_at"] = time.time() + 1
            folder.publish()
            service.refresh()
            assert service.look_up(key.token, [pdq_of(folder.codes[1])]).answers[0].hits
