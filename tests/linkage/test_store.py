"""What would be lost: a withdrawn record that still points at a family, a decision forgotten, twins made one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.linkage.conftest import person

from safelight.linkage import LinkageError, LinkStore, Name, Thresholds, shipped_model

HOME = "12 Park Road, N4 2AB"
MODEL = shipped_model()


def test_one_person_in_three_spellings(store: LinkStore) -> None:
    store.add(
        "crime",
        [
            person("1", "Mohammed Ali", "Chowdhury", "1984-03-12", HOME),
            person("9", "Mary", "Jones", "1950-05-05", HOME),
        ],
    )
    store.add("children", [person("7", "Muhammad", "Choudhury", "1984-12-03", HOME, source="children")])
    store.add("visor", [person("A", "Chowdhury", "Mohamed", "1984-03-12", source="visor")])
    store.run(MODEL)
    assert store.cluster_of("crime", "1") == [("children", "7"), ("crime", "1"), ("visor", "A")]
    assert store.cluster_of("crime", "9") == [("crime", "9")]


def test_the_same_import_again_changes_nothing_and_a_withdrawn_record_leaves_its_cluster(store: LinkStore) -> None:
    records = [person("1", "Ann", "Lee", "1980-03-04", HOME), person("2", "Anne", "Lee", "1980-03-04", HOME)]
    first = store.add("crime", records)
    assert (first.added, first.changed, first.unchanged) == (2, 0, 0)
    again = store.add("crime", [replace(one, provenance="another file") for one in records], whole=True)
    assert (again.added, again.changed, again.unchanged, again.withdrawn) == (0, 0, 2, 0)
    store.run(MODEL)
    assert len(store.cluster_of("crime", "1")) == 2
    assert store.withdraw("crime", ["2"]) == 1
    assert store.cluster_of("crime", "1") == [("crime", "1")]
    assert store.cluster_of("crime", "2") == []
    store.run(MODEL)
    assert store.cluster_of("crime", "2") == []
    # Given again, it is back; left out of a whole delivery, it goes.
    assert store.add("crime", records).changed == 1
    assert store.add("crime", records[:1], whole=True).withdrawn == 1


def test_twins_and_father_and_son_stay_two(store: LinkStore) -> None:
    store.add(
        "school",
        [
            person("1", "Amina", "Warsame", "2014-06-02", HOME, source="school"),
            person("2", "Hodan", "Warsame", "2014-06-02", HOME, source="school"),
            person("3", "Peter", "Nowak", "1955-02-03", "3 Elm Close, E1 4CD", source="school"),
            person("4", "Peter", "Nowak", "1989-07-21", "3 Elm Close, E1 4CD", source="school"),
            # Of one of the twins, but which? Never the bridge between them.
            person("5", "", "Warsame", "2014-06-02", HOME, source="school"),
        ],
    )
    made = store.run(MODEL)
    clusters = [set(store.cluster_of("school", key)) for key in "1234"]
    assert not clusters[0] & clusters[1] and not clusters[2] & clusters[3]
    assert made.clusters.guarded["twins"] == 1


def test_a_persons_decision_wins_and_lasts(store: LinkStore) -> None:
    store.add(
        "crime",
        [
            person("1", "Ann", "Lee", "1980-03-04", HOME),
            person("2", "Ann", "Lee", "1980-03-04", HOME),
            person("3", "Zoe", "Okafor"),
        ],
    )
    different = store.decide(("crime", "2"), ("crime", "1"), "different", by="asha", reason="met both")
    store.decide(("crime", "1"), ("crime", "3"), "same", by="asha", reason="married, new name")
    for _ in range(2):
        store.run(MODEL)
        assert store.cluster_of("crime", "1") == [("crime", "1"), ("crime", "3")]
        assert store.cluster_of("crime", "2") == [("crime", "2")]
        # A new delivery of the record does not make it forgotten.
        store.add("crime", [person("2", "Ann", "Lee", "1980-03-04", HOME, phones=("07700900123",))])
    with pytest.raises(LinkageError, match="Undo it first"):
        store.decide(("crime", "1"), ("crime", "2"), "same", by="asha", reason="no")
    store.undo(different, by="tom")
    store.run(MODEL)
    assert len(store.cluster_of("crime", "1")) == 3
    assert store.con.execute("select undone_by from decision where number = ?", [different]).fetchall() == [("tom",)]


def test_what_is_joined_stays_joined_until_it_falls_below_the_lower_threshold(store: LinkStore) -> None:
    store.add("crime", [person("1", "Ann", "Lee", "1980-03-04", HOME), person("2", "Ann", "Lee", "1980-03-04", HOME)])
    store.run(MODEL)
    ((weight,),) = store.con.execute("select weight from edge").fetchall()
    stricter = replace(MODEL, thresholds=Thresholds(join=weight + 1, split=weight - 1, review=0))
    number = store.con.execute("select distinct cluster from cluster").fetchall()
    assert store.run(stricter).clusters.kept_by_hysteresis == 1
    assert store.con.execute("select distinct cluster from cluster").fetchall() == number
    store.con.execute("delete from cluster")
    assert store.run(stricter).clusters.of_several == 0
    store.run(MODEL)
    assert store.run(replace(MODEL, thresholds=Thresholds(weight + 2, weight + 1, 0))).clusters.of_several == 0


def test_a_decision_names_two_records_that_are_there(store: LinkStore) -> None:
    store.add("crime", [person("1", "Ann", "Lee")])
    with pytest.raises(LinkageError, match="no record crime/2"):
        store.decide(("crime", "1"), ("crime", "2"), "same", by="a", reason="b")
    with pytest.raises(LinkageError, match="named twice"):
        store.decide(("crime", "1"), ("crime", "1"), "same", by="a", reason="b")
    with pytest.raises(LinkageError, match="no decision 7"):
        store.undo(7, by="a")


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("not a database " * 999)
    with pytest.raises(LinkageError, match="cannot be opened"):
        LinkStore(tmp_path / "x.duckdb")


def test_aliases_in_another_script_count(store: LinkStore) -> None:
    alias = replace(
        person("1", "Vova", "Petrenko", "1971-09-30"),
        names=(Name("Vova", "Petrenko"), Name("Владимир", "Петренко", "other script")),
    )
    store.add("crime", [alias, person("2", "Vladimir", "Petrenko", "1971-09-30")])
    store.run(MODEL)
    assert len(store.cluster_of("crime", "2")) == 2
