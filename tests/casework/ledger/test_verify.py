"""Verification finds what was done to the ledger by somebody who could switch the triggers off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from tests.casework.factories import make_allocation, make_case, make_user

from safelight.casework.cases.services import note, record_live_contact
from safelight.casework.ledger.models import LedgerEntry, LedgerLeaf, LedgerSeal
from safelight.casework.ledger.proving import prove
from safelight.casework.ledger.services import canonical, fingerprint, record, seal
from safelight.casework.ledger.tasks import record_verification
from safelight.casework.ledger.verify import verify
from safelight.tlog.merkle import leaf_hash, verify_inclusion

pytestmark = pytest.mark.django_db


@contextmanager
def triggers_dropped() -> Iterator[None]:
    """As an attacker with rights over the database would do it. (A test's transaction is rolled back.)"""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in ("ledger_ledgerentry", "ledger_ledgerleaf", "ledger_ledgerseal"):
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger_%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')
    yield


def run(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA defer_foreign_keys = ON")
        cursor.execute(statement, parameters)


@pytest.fixture
def entries() -> list[LedgerEntry]:
    actor = make_user()
    made = []
    for batch in range(3):
        with transaction.atomic():
            made += [record(actor, "account.changed", actor, payload={"n": batch * 4 + n}) for n in range(4)]
        seal()
    return made


def test_an_untouched_ledger_is_proven(entries):
    """Otherwise nobody would believe the fault when there is one."""
    result = verify()
    assert result.proven, result.faults
    assert (result.entries, result.sealed, result.seals, result.waiting) == (12, 12, 3, 0)
    assert result.root == LedgerSeal.objects.latest("tree_size").root


def test_a_flipped_payload_is_found_and_named(entries):
    """Otherwise one changed digit in who-did-what would stand in court."""
    with triggers_dropped():
        run("UPDATE ledger_ledgerentry SET payload = %s WHERE id = %s", json.dumps({"n": 99}), entries[5].pk)
        faults = verify().faults
    assert faults == [f"Entry {entries[5].pk} (leaf 5) does not hash to what was sealed."]


def test_a_changed_entry_whose_own_digest_was_recomputed_is_found_too(entries):
    """Otherwise an attacker who knows the program would get away with it."""
    with triggers_dropped():
        entry = LedgerEntry.objects.get(pk=entries[5].pk)
        entry.payload = {"n": 99}
        digest = leaf_hash(canonical(entry)).hex()
        run(
            "UPDATE ledger_ledgerentry SET payload = %s, digest = %s WHERE id = %s",
            json.dumps({"n": 99}),
            digest,
            entry.pk,
        )
        run("UPDATE ledger_ledgerleaf SET leaf_hash = %s WHERE entry_id = %s", digest, entry.pk)
        faults = verify().faults
    (fault,) = faults
    assert "leaves 4 to 7 or the seal itself were changed" in fault, "the stretch of the second seal is named, no other"


def test_a_deleted_entry_is_found(entries):
    """Otherwise a look at a case could be taken out."""
    with triggers_dropped():
        run("DELETE FROM ledger_ledgerleaf WHERE entry_id = %s", entries[5].pk)
        run("DELETE FROM ledger_ledgerentry WHERE id = %s", entries[5].pk)
        faults = verify().faults
    assert any("Leaf 5 is missing" in fault for fault in faults)


def test_a_cut_off_end_is_found(entries):
    """Otherwise the newest entries, the most interesting ones, could vanish."""
    with triggers_dropped():
        run("DELETE FROM ledger_ledgerleaf WHERE entry_id >= %s", entries[10].pk)
        run("DELETE FROM ledger_ledgerentry WHERE id >= %s", entries[10].pk)
        faults = verify().faults
    assert any("Leaves 10 to 11 are missing" in fault for fault in faults)


def test_reordered_leaves_are_found(entries):
    """Otherwise the order of events could be turned round."""
    with triggers_dropped():
        first, second = entries[2].pk, entries[3].pk
        one, two = (LedgerLeaf.objects.get(entry=pk) for pk in (first, second))
        run('DELETE FROM ledger_ledgerleaf WHERE "index" IN (2, 3)')
        for index, entry, digest in ((2, second, two.leaf_hash), (3, first, one.leaf_hash)):
            run(
                'INSERT INTO ledger_ledgerleaf ("index", entry_id, leaf_hash) VALUES (%s, %s, %s)',
                index,
                entry,
                digest,
            )
        faults = verify().faults
    assert any("does not follow" in fault for fault in faults)


def test_an_entry_that_waits_for_its_seal_is_checked_as_well(entries):
    """Otherwise the minute between writing and sealing would be free for changes."""
    actor = entries[0].actor
    with transaction.atomic():
        waiting = record(actor, "account.changed", actor, payload={"n": 1})
    assert verify().waiting == 1
    with triggers_dropped():
        run("UPDATE ledger_ledgerentry SET payload = %s WHERE id = %s", json.dumps({"n": 2}), waiting.pk)
        assert any(f"Entry {waiting.pk}" in fault for fault in verify().faults)


def test_a_proof_of_one_entry_holds_without_the_database(entries):
    """Otherwise the defence could not check one entry without being shown all of them."""
    proof = json.loads(json.dumps(prove(entries[7])))
    path = [bytes.fromhex(one) for one in proof["path"]]
    leaf = leaf_hash(proof["entry"].encode())
    assert verify_inclusion(leaf, proof["leaf_index"], proof["tree_size"], path, bytes.fromhex(proof["root"]))
    forged = leaf_hash(b"x")
    assert not verify_inclusion(forged, proof["leaf_index"], proof["tree_size"], path, bytes.fromhex(proof["root"]))


def test_a_verification_is_itself_in_the_ledger(entries):
    """Otherwise the page could not say when the ledger was last proven, or by whom."""
    record_verification(entries[0].actor, verify())
    entry = LedgerEntry.objects.filter(verb="ledger.verified").get()
    assert entry.payload["proven"] is True
    assert entry.payload["sealed"] == 12


class TestRecording:
    @pytest.mark.django_db(transaction=True)
    def test_outside_a_transaction_nothing_is_recorded(self):
        """Otherwise an entry could stand for a change that was rolled back."""
        with pytest.raises(RuntimeError, match="transaction"):
            record(None, "account.changed")

    def test_an_unregistered_verb_is_a_fault_of_ours(self):
        with pytest.raises(KeyError, match="not registered"):
            record(None, "case.magicked")

    def test_an_entry_dies_with_the_change_it_records(self):
        before = LedgerEntry.objects.count()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            record(None, "account.changed")
            _ = 1 / 0
        assert LedgerEntry.objects.count() == before

    def test_what_is_read_back_hashes_as_it_was_written(self):
        """Otherwise every entry with a decimal, a set or a non-ASCII name would look tampered with."""
        from datetime import UTC, datetime
        from decimal import Decimal

        actor = make_user(name="Zoë Ünïcode ‮ 🔦 (synthetic)")
        payload = {
            "d": Decimal("1.50"),
            "s": {"b", "a"},
            "t": (1, 2),
            "at": datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
            5: None,
        }
        entry = record(actor, "account.changed", actor, payload=payload, reason="é" * 600)
        again = LedgerEntry.objects.get(pk=entry.pk)
        assert leaf_hash(canonical(again)).hex() == entry.digest

    def test_no_entry_of_a_whole_case_holds_what_somebody_wrote(self):
        """Otherwise names and free text about a child would sit in a table that nobody can erase."""
        case = make_case(title="Unrepeatable title", risk_source="Unrepeatable tool, assessed by Unrepeatable")
        note(case.opened_by, case, "note", "Unrepeatable text.")
        record_live_contact(case.opened_by, case, contact=True, how_known="Unrepeatable words.")
        make_allocation(case, actor=case.opened_by)
        text = str(list(LedgerEntry.objects.values_list("payload", "reason", "subject_label")))
        assert "Unrepeatable" not in text
        for link in case.people.select_related("person"):
            assert link.person.family_name not in text

    def test_a_fingerprint_binds_the_text_and_never_repeats_itself(self):
        one, two = fingerprint("synthetic"), fingerprint("synthetic")
        assert one["sha256"] != two["sha256"]
        assert one["characters"] == 9

    def test_sealing_nothing_makes_no_seal(self, entries):
        assert seal() is None
        assert LedgerSeal.objects.count() == 3
