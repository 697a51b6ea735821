"""Seals seen from outside: a witness of its own, a real time-stamp authority, and proofs that a stranger checks."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from tests.casework.factories import make_user
from tests.support import tsa

from safelight.casework.ledger import witnessing
from safelight.casework.ledger.against import check_outside, compare
from safelight.casework.ledger.checking import Verification
from safelight.casework.ledger.models import LedgerEntry, LedgerSeal, Outsider, SealMark
from safelight.casework.ledger.outside import log_signer, signed, witnesses
from safelight.casework.ledger.proving import prove
from safelight.casework.ledger.services import record, seal
from safelight.casework.ledger.tasks import verify_ledger
from safelight.casework.ledger.verify import verify
from safelight.casework.ledger.witnessing import show_newest_seal
from safelight.casework.notices.models import Notice
from safelight.errors import SafelightError
from safelight.tlog.notes import Note, read_all
from safelight.tlog.serving import server
from safelight.tlog.witness import Witness

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db


@pytest.fixture
def witness(tmp_path: Path, settings) -> Iterator[Witness]:
    settings.LEDGER_KEY = tmp_path / "ledger.key"
    settings.LEDGER_ORIGIN = "test.example/ledger"
    folder = tmp_path / "witness"
    folder.mkdir()
    own = Witness(folder, "witness.example")
    own.add_log(log_signer().verifier)
    with server(own, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        settings.WITNESSES = tmp_path / "witnesses"
        address = f"http://127.0.0.1:{listening.server_port}"
        settings.WITNESSES.write_text(f"# ours\n{address} {own.signer.verifier}\n")
        yield own
        listening.shutdown()
        thread.join()


def write(count: int) -> LedgerSeal:
    with transaction.atomic():
        for number in range(count):
            record(None, "account.changed", payload={"n": number})
    made = seal()
    assert made is not None
    return made


def checked() -> Verification:
    result = verify()
    check_outside(result)
    return result


def rewrite(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in ("ledger_ledgerseal", "ledger_ledgerleaf", "ledger_ledgerentry", "ledger_sealmark"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        else:
            cursor.execute("PRAGMA defer_foreign_keys = ON")
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger_%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute(statement, values)


def test_the_tick_shows_each_new_seal_and_verification_compares(witness):
    """Without it, whoever has the database has the truth."""
    for count in (3, 1, 7):
        made = write(count)
        assert show_newest_seal() == []
        assert witness.latest("test.example/ledger").checkpoint.size == made.tree_size
    assert show_newest_seal() == [], "nothing new, nothing asked"
    assert SealMark.objects.count() == 3
    result = checked()
    assert result.proven, result.faults
    assert result.witnessed == {"witness.example": 11}
    assert (result.marks, result.remarks) == (3, [])
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        SealMark.objects.update(body="x")


def test_an_older_copy_of_the_database_is_found(witness):
    """A restored backup, or a rollback by hand, verifies in itself: only the witness knows of what is gone."""
    write(4)
    show_newest_seal()
    newest = write(5)
    show_newest_seal()
    for table, column, least in (
        ("ledger_sealmark", "seal_id", newest.pk), ("ledger_ledgerseal", "id", newest.pk),
        ("ledger_ledgerleaf", '"index"', 4), ("ledger_ledgerentry", "id", newest.through_entry - 4),
    ):  # fmt: skip
        rewrite(f"DELETE FROM {table} WHERE {column} >= %s", least)
    assert verify().proven, "in itself it is sound"
    result = checked()
    assert "cosigned 9 entries" in result.faults[0]
    assert "the last 5 were removed" in result.faults[0]
    assert result.ranges == [(4, 8)]
    Outsider.objects.update(seen_size=4, seen_at=None)
    administrator = make_user("administrator")
    write(1)
    (problem,) = show_newest_seal()
    assert "It saw 9 entries, and here are" in problem
    assert Notice.objects.filter(user=administrator, kind="ledger.refused").count() == 1
    Outsider.objects.update(tried_at=None)
    show_newest_seal()
    assert Notice.objects.filter(kind="ledger.refused").count() == 1, "the same thing is said once"
    assert LedgerEntry.objects.filter(verb="ledger.refused").count() == 1


def test_a_witness_that_is_away_is_waited_for(witness, settings, monkeypatch):
    """An outage of the witness must not stop the ledger, and must not be silent."""
    monkeypatch.setattr(witnessing, "AGAIN_AFTER", witnessing.AGAIN_AFTER * 0)
    write(2)
    text = settings.WITNESSES.read_text()
    settings.WITNESSES.write_text(f"http://127.0.0.1:9 {witness.signer.verifier}")
    for _ in range(2):
        (problem,) = show_newest_seal()
        assert problem.startswith("witness.example has not seen the newest seal: http://127.0.0.1:9")
    row = Outsider.objects.get()
    assert row.failing_since is not None
    assert not row.refused
    result = checked()
    assert result.proven
    assert "could not be asked" in result.remarks[0]
    settings.WITNESSES.write_text(text)
    write(2)
    assert show_newest_seal() == []
    assert Outsider.objects.get().failing_since is None


def test_a_seal_whose_time_or_root_was_changed_loses_its_marks(witness):
    """The time of a seal is no entry: only what was signed binds it."""
    made = write(3)
    show_newest_seal()
    rewrite("UPDATE ledger_ledgerseal SET at = %s WHERE id = %s", "2020-01-01 00:00:00+00:00", made.pk)
    assert "The cosignature of witness.example is not over the seal of 3 entries" in checked().faults[0]


def test_a_foreign_book_and_a_foreign_key_count_for_nothing(witness, tmp_path):
    """Somebody who gives us a book of his own must not be believed."""
    write(3)
    show_newest_seal()
    (tmp_path / "other").mkdir()
    stranger = Witness(tmp_path / "other", "witness.example")
    result = verify()
    compare(result, stranger.signer.verifier, read_all(witness.book("test.example/ledger").read_text()))
    assert result.witnessed == {"witness.example": 0}
    with pytest.raises(SafelightError, match="cannot be read"):
        check_outside(result, [(str(tmp_path / "none"), stranger.signer.verifier)])


@pytest.mark.parametrize("line", ["nonsense", "ftp://x KEY", "http://x log"])
def test_a_witness_file_with_a_fault_says_where(line, settings, tmp_path):
    settings.WITNESSES = tmp_path / "witnesses"
    settings.WITNESSES.write_text(f"\n{line}\n")
    with pytest.raises(SafelightError):
        witnesses()


def test_seals_are_stamped_with_the_time_by_a_real_authority(settings, tmp_path):
    """A court asks when: our own clock is no answer."""
    settings.LEDGER_KEY = tmp_path / "ledger.key"
    with tsa.authority(tmp_path / "tsa") as (url, chain):
        settings.TSA_URL, settings.TSA_CERTIFICATES, settings.TSA_EVERY = url, chain, 0
        made = write(3)
        assert show_newest_seal() == []
        result = checked()
        assert result.proven, result.faults
        assert result.marks == 1
        rewrite("UPDATE ledger_ledgerseal SET at = %s WHERE id = %s", "2020-01-01 00:00:00+00:00", made.pk)
        assert "The time-stamp is not over the seal of 3 entries" in checked().faults[0]
        with tsa.authority(tmp_path / "other", "Another") as (_, other):
            settings.TSA_CERTIFICATES = other
            write(1)
            assert "does not hold" in show_newest_seal()[0]
        settings.TSA_CERTIFICATES = settings.LEDGER_KEY
        log_signer()
        Outsider.objects.update(tried_at=None)
        assert "holds no certificates" in show_newest_seal()[0]


def test_the_page_says_first_who_refuses_and_how_far_the_others_saw(client):
    """An administrator who reads three lines of green does not read the fourth."""
    made = write(40)
    Outsider.objects.create(name="a.example", seen_size=12, seen_at=made.at)
    Outsider.objects.create(name="b.example", problem="b.example has not seen it.", failing_since=made.at)
    Outsider.objects.create(name="c.example", problem="c.example refuses it.", failing_since=made.at, refused=True)
    client.force_login(make_user("administrator"), backend="allauth.account.auth_backends.AuthenticationBackend")
    said = client.get(reverse("ledger:index")).content.decode()
    places = [said.index(words) for words in ("c.example refuses it.", "b.example has not", "a.example saw 12 of 40")]
    assert places == sorted(places)
    assert "keep the database as it is" in said and "it has seen nothing yet" in said


def test_every_entry_is_soon_under_a_stamp_and_its_proof_leads_there(witness, settings, tmp_path):
    """Not each seal is stamped, but each entry is: a stamp over a later root is one over everything before it."""
    with tsa.authority(tmp_path / "tsa") as (url, chain):
        settings.TSA_URL, settings.TSA_CERTIFICATES, settings.TSA_EVERY = url, chain, 3600
        write(2)
        show_newest_seal()
        write(2)
        show_newest_seal()
        Outsider.objects.filter(name=witnessing.TSA).update(seen_at=None)
        write(2)
        show_newest_seal()
    assert list(SealMark.objects.values_list("kind", "seal__tree_size")) == [
        ("cosignature", 2), ("timestamp", 2), ("cosignature", 4), ("cosignature", 6), ("timestamp", 6),
    ]  # fmt: skip
    for number, size in ((1, 2), (2, 6), (5, 6)):
        made = prove(LedgerEntry.objects.order_by("id")[number])
        assert (made["tree_size"], len(made["timestamps"]), len(made["signatures"])) == (size, 1, 2)


def test_a_stranger_checks_a_proof_with_nothing_of_ours(witness, settings, tmp_path):
    """The defence must not have to trust the program that is in question."""
    with tsa.authority(tmp_path / "tsa") as (url, chain):
        settings.TSA_URL, settings.TSA_CERTIFICATES, settings.TSA_EVERY = url, chain, 0
        write(4)
        write(5)
        show_newest_seal()
    entry = LedgerEntry.objects.order_by("id")[6]
    proof = json.loads(json.dumps(prove(entry)))
    assert len((ROOT / "scripts/check-proof.py").read_text().splitlines()) <= 50

    def ask(changed: dict) -> subprocess.CompletedProcess[str]:
        (tmp_path / "proof.json").write_text(json.dumps(changed))
        command = [sys._base_executable, "-I", str(ROOT / "scripts/check-proof.py"), "proof.json"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={}, check=False)

    said = ask(proof)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("HOLDS: leaf 6 of 9 of test.example/ledger, sealed ")
    commands = [line.partition(": ")[2] for line in said.stdout.splitlines() if ": openssl " in line]
    assert len(commands) == 3, "the ledger, the witness, the time"
    for command in commands:
        words = command.replace("AUTHORITY.pem", str(tmp_path / "tsa/root.pem")).split()
        checked_by = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert checked_by.returncode == 0, (command, checked_by.stderr)
    for changed in (
        {**proof, "entry": proof["entry"].replace("account.changed", "account.created")},
        {**proof, "leaf_index": 5}, {**proof, "tree_size": 8}, {**proof, "path": proof["path"][:-1]},
        {**proof, "path": [*proof["path"], "00" * 32]}, {**proof, "leaf_index": 9},
        {**proof, "checkpoint": proof["checkpoint"].replace("\n9\n", "\n10\n")},
    ):  # fmt: skip
        refused = ask(changed)
        assert refused.returncode == 1
        assert refused.stderr.startswith("DOES NOT HOLD")


def test_the_page_says_who_saw_the_ledger(witness, sign_in):
    """An administrator must see that a witness is away or refuses, without asking the command line."""
    administrator = make_user("administrator")
    client = sign_in(administrator)
    assert "Whoever could rewrite the whole database" in client.get(reverse("ledger:index")).content.decode()
    made = write(2)
    show_newest_seal()
    assert f"witness.example saw {made.tree_size} entries" in client.get(reverse("ledger:index")).content.decode()
    Outsider.objects.update(problem="witness.example refuses the ledger: because.", refused=True)
    assert "Refuses" in client.get(reverse("ledger:index")).content.decode()
    verify_ledger.call(actor_pk=administrator.pk)
    payload = LedgerEntry.objects.filter(verb="ledger.verified").latest("id").payload
    assert payload["proven"]
    assert payload["witnessed"] == {"witness.example": made.tree_size}


def test_a_checkpoint_for_paper_is_signed_by_the_ledger(witness):
    note = Note.read(signed(write(2)))
    assert note.verified(log_signer().verifier) == 0
    assert note.checkpoint.lines[0].startswith("sealed 20")
