"""Checking by raw columns, in stretches and processes: a shortcut here would be a forgery that nobody finds."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.casework.factories import make_user

from safelight.casework.ledger import checking
from safelight.casework.ledger.checking import check_all, check_stretch
from safelight.casework.ledger.columns import Source, Words, _exact, canonical_row, digest_of
from safelight.casework.ledger.models import LedgerEntry, LedgerLeaf, LedgerSeal
from safelight.casework.ledger.services import canonical, record, seal
from safelight.casework.ledger.verify import grown_from, verify
from safelight.tlog.merkle import inclusion_proof, root_of, verify_consistency, verify_inclusion

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)
PAYLOAD = st.dictionaries(
    TEXT, st.none() | st.booleans() | st.integers() | TEXT | st.lists(st.integers(-(2**70), 2**70) | TEXT), max_size=4
)


@pytest.mark.django_db
@given(PAYLOAD, TEXT, TEXT, st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))
def test_columns_make_the_bytes_that_the_writer_hashed(payload, reason, recipient, at):
    """Otherwise an honest entry with an odd character would be called a forgery, or a forged one honest."""
    with transaction.atomic():
        entry = record(None, "account.changed", payload=payload, reason=reason, recipient=recipient,
                       at=at.replace(tzinfo=UTC))  # fmt: skip
        (row,) = Source(connection.connection, connection.vendor).waiting(entry.pk - 1)
        exactly = canonical_row(row, Words(), lambda text: _exact(json.loads(text)))
        assert exactly == canonical(LedgerEntry.objects.get(pk=entry.pk))
        # The quick way reads whole numbers of more than 64 bits as others: where it errs, the exact one is asked.
        assert digest_of(row, Words()).hex() == row[3] == LedgerEntry.objects.get(pk=entry.pk).digest
        transaction.set_rollback(True)


def fill(groups: int, each: int) -> None:
    for group in range(groups):
        with transaction.atomic():
            for number in range(each):
                record(None, "account.changed", payload={"n": [group, number], "t": "é\\\t\n"})
        seal()


@pytest.mark.django_db(transaction=True)
def test_several_processes_find_what_one_finds(monkeypatch):
    """Ten million entries are read by all cores: a range between two of them must not fall through."""
    make_user()
    fill(12, 3)
    monkeypatch.setattr(checking, "STRETCH", 6)
    alone = verify()
    monkeypatch.setattr(checking, "SEVERAL", 1)
    steps: list[tuple[int, int]] = []
    together = verify(lambda done, total: steps.append((done, total)))
    assert together == alone
    assert together.proven, together.faults
    assert (together.sealed, together.seals) == (36, 12)
    assert len(steps) == 7, "one for each stretch, and the end"


@pytest.mark.django_db
def test_every_stretch_is_judged_by_itself():
    """One forged entry must not make all later ones look forged: the fault would be anywhere."""
    fill(5, 4)
    source = Source(connection.connection, connection.vendor)
    assert not check_stretch(source, 8, 16).faults
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE ledger_ledgerseal DISABLE TRIGGER ALL")
        else:
            cursor.execute("DROP TRIGGER ledger_ledgerseal_no_UPDATE")
        other = LedgerSeal.objects.get(tree_size=4).frontier
        for column, value, words in (
            ("frontier", json.dumps(other * 2), "leaves 8 to 11 or the seal itself"),
            ("frontier", "[1]", "leaves 8 to 11 or the seal itself"),
            ("root", "00" * 32, "leaves 8 to 11 or the seal itself"),
            ("through_entry", 1 << 40, "names 1099511627776 as its newest entry"),
        ):
            with transaction.atomic():
                cursor.execute(f"UPDATE ledger_ledgerseal SET {column} = %s WHERE tree_size = 12", [value])
                result = check_all(source)
                assert words in result.faults[0], (column, value)
                assert all(8 <= first <= 12 for first, _ in result.ranges), result.faults
                transaction.set_rollback(True)
        for size, first, last in ((12, 8, 15), (20, 16, 19)):
            with transaction.atomic():
                cursor.execute("UPDATE ledger_ledgerseal SET tree_size = 1012 WHERE tree_size = %s", [size])
                result = check_all(source)
                assert (first, last) in result.ranges, result.faults
                transaction.set_rollback(True)


@pytest.mark.django_db
def test_a_seal_is_enough_to_prove_what_came_after_it():
    """A proof from ten million leaves would otherwise read them all."""
    fill(9, 3)
    leaves = [bytes.fromhex(one) for one in LedgerLeaf.objects.order_by("index").values_list("leaf_hash", flat=True)]
    for base in (0, 3, 12, 15, 24):
        tree = grown_from(base, 27)
        for size in range(max(base, 1), 28):
            assert tree.root(size) == root_of(leaves[:size])
            path = tree.consistency(max(base, 1), size)
            assert verify_consistency(max(base, 1), size, root_of(leaves[: max(base, 1)]), tree.root(size), path)
            for index in range(base, size):
                assert tree.inclusion(index, size) == inclusion_proof(leaves, index, size)
                assert verify_inclusion(leaves[index], index, size, tree.inclusion(index, size), tree.root(size))
    with pytest.raises(ValueError, match="no leaf 2 between 3"):
        grown_from(3, 27).inclusion(2, 27)
    with pytest.raises(ValueError, match="no consistency proof"):
        grown_from(3, 27).consistency(2, 27)


def test_what_no_program_of_ours_wrote_is_a_fault_and_no_crash():
    """A forger who writes nonsense into a column must not stop the check."""
    source = Source(sqlite3.connect(":memory:"), "sqlite")
    source.connection.executescript(
        "CREATE TABLE ledger_ledgerentry (id integer PRIMARY KEY, uid, at, actor_id, actor_name, actor_role, category, "
        "verb, subject_type, subject_id, subject_label, case_key, recipient, reason, payload, digest);"
        'CREATE TABLE ledger_ledgerleaf ("index" integer, entry_id, leaf_hash);'
        "CREATE TABLE ledger_ledgerseal (id integer PRIMARY KEY, tree_size, root, frontier, at, through_entry);"
        "INSERT INTO ledger_ledgerentry VALUES "
        "(1, 'x', '2', NULL, NULL, 5, x'00', '', '', '', '', NULL, '', '', '{', 'z');"
        "INSERT INTO ledger_ledgerleaf VALUES (0, 1, 'z'), (1, 2, 'z');"
        "INSERT INTO ledger_ledgerseal VALUES (1, 2, 'z', '{', '2026', 2);"
    )
    assert check_all(source).faults == [
        "Entries 1 to 2 (leaves 0 to 1) do not hash to what was sealed.",
        "The seal over 2 entries is damaged.",
    ]
