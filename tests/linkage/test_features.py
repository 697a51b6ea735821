"""What would be lost: pairs never compared, or a machine brought down by one hostel."""

from __future__ import annotations

from dataclasses import replace

from tests.linkage.conftest import person

from safelight.demo.people_records import Errors, make_people
from safelight.linkage import Address, LinkStore, shipped_model
from safelight.linkage.features import make_keys, make_pairs


def test_spellings_of_addresses_telephones_and_dates_are_one(store: LinkStore) -> None:
    store.add("crime", [
        person("1", "Ann", "Lee", "1980-03-04", "Flat 3, 14 High Street, SW1A 2AA", phones=("+44 7700 900123",)),
        person("2", "Ann", "Lee", "1980-01-01", "14 High St. flat 3, sw1a2aa", phones=("07700 900 123", "n/k")),
        person("3", "", "Lee", "1900-01-01"),
    ])  # fmt: skip
    store.prepare()
    rows = store.con.execute("select place, contacts, born, born_year from feature order by unique_id").fetchall()
    assert rows[0][:2] == rows[1][:2] and rows[0][1] == ["t700900123"]
    # 1 January means the year only; 1 January 1900 means nothing.
    assert [row[2:] for row in rows] == [("19800304", 1980), (None, 1980), (None, None)]


def test_ten_thousand_people_in_a_hostel_do_not_blow_up(store: LinkStore) -> None:
    hostel = (Address("1 Hope House Hostel", "E1 1AA"),)
    made_up = make_people(10_000, seed=3, errors=Errors(phone=0, no_address=0), mean_records=1.0)
    people = [replace(one, addresses=hostel, phones=("020 7946 0000",)) for one in made_up.records]
    store.add("synthetic", [*people, replace(people[0], key="again")])
    made = store.run(shipped_model())
    # All pairs would be fifty million.
    assert made.blocking.pairs < 600_000
    # Left out and said, not silently.
    assert made.blocking.left_out_keys > 0 and "address" in made.blocking.left_out_kinds
    assert made.shared_contacts == 1
    assert ("synthetic", people[0].key) in store.cluster_of("synthetic", "again")
    assert made.clusters.of_several < 60, made.clusters


def test_empty_columns_and_very_long_names_do_no_harm(store: LinkStore) -> None:
    long = "x" * 200
    store.add(
        "crime",
        [person("1", "", ""), person("2", long, long), person("3", long, long), person("4", "", "", place=", E1 1AA")],
    )
    store.prepare()
    make_keys(store.con, "feature", "keys")
    assert make_pairs(store.con, "keys", "pair", records=4).pairs == 1
    assert store.con.execute("select length(given) from feature where unique_id = 2").fetchall() == [(200,)]
