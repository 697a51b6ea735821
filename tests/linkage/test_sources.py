"""What would be lost: rows of a delivery, because of an encoding, a stray delimiter or a date that is none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import pytest

from safelight.linkage import LinkageError, LinkStore, mapping_from, read_csv, read_mapping, read_parquet, read_query

MAPPING = {
    "source": "crime",
    "key": "id",
    "names": [{"given": ["first", "second"], "family": "surname"}, {"given": "alias", "kind": "alias"}],
    "born": "dob",
    "addresses": [{"line": "street", "postcode": "code", "since": "moved"}],
    "identifiers": {"pnc": "pnc"},
    "columns": {"sex": "sex", "phones": ["phone"], "emails": "mail"},
    "relationships": {"guardian": ["g1", "g2"]},
    "handling": "owner",
}
HEADER = "id,first,second,surname,alias,dob,street,code,moved,pnc,sex,phone,mail,g1,g2,owner"


def records(store: LinkStore) -> list[dict[str, object]]:
    return store.con.sql("select * exclude (digest) from record order by key").to_arrow_table().to_pylist()


def test_every_field_of_a_csv_row_arrives(store: LinkStore, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        HEADER + '\n7,Siân,Mair,"O\'Neil, MBE",Shan,31/12/1980,"Flat 2; 3 Elm Rd",N4 2AB,2020-05-06,12/34X,F,'
        "07700 900123 | 020 7946 0000,a@example.org,8,,DI Roy\n",
        "utf-8",
    )
    done = store.import_(read_csv(path), mapping_from(MAPPING))
    assert (done.added, done.rejected) == (1, ())
    (row,) = records(store)
    assert row["names"] == [
        {"given": "Siân Mair", "family": "O'Neil, MBE", "kind": "current"},
        {"given": "Shan", "family": "", "kind": "alias"},
    ]
    assert (str(row["born"]), row["born_precision"], row["sex"]) == ("1980-12-31", "day", "female")
    assert row["phones"] == ["07700 900123", "020 7946 0000"] and row["emails"] == ["a@example.org"]
    assert row["identifiers"] == [{"kind": "pnc", "value": "12/34X"}]
    assert row["relationships"] == [{"kind": "guardian", "key": "8"}]
    assert row["handling"] == "DI Roy" and str(row["provenance"]).endswith("a.csv, row 2")
    assert row["addresses"][0]["line"] == "Flat 2; 3 Elm Rd" and str(row["addresses"][0]["since"]) == "2020-05-06"


def test_mixed_encodings_odd_rows_and_odd_dates_are_read_or_named(store: LinkStore, tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    lines = [
        "1;Zoë;1985-02-30".encode(),
        "2;Renée;01/01/1900".encode("cp1252"),
        b"3;Ann",
        b";Bob;1990",
        "4;Łukasz;1990".encode(),
        b"4;Luke;06/1991",
        b"5;Ann\x00a;3 Mar 1970",
    ]
    path.write_bytes(b"\xef\xbb\xbfid;first;dob\n" + b"\n".join(lines))
    mapping = mapping_from({"source": "crime", "key": "id", "names": [{"given": "first"}], "born": {"column": "dob"}})
    done = store.import_(read_csv(path), mapping)
    got = {
        str(row["key"]): (row["names"][0]["given"], str(row["born"]), row["born_precision"]) for row in records(store)
    }
    assert got == {
        "1": ("Zoë", "None", "none"),
        "2": ("Renée", "1900-01-01", "day"),
        "4": ("Luke", "1991-06-01", "month"),
        "5": ("Anna", "1970-03-03", "day"),
    }
    assert [(one.row, one.reason) for one in done.rejected] == [
        (4, "2 fields where the header has 3"),
        (5, "no key in id"),
    ]
    text = " ".join(done.notes)
    for words in ("Windows-1252", "NUL", "repeat a key", "cannot be read", "'1985-02-30'", "not known"):
        assert words in text


def test_utf_16(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id\tfirst\n1\tŁucja\n".encode("utf-16"))
    assert read_csv(tmp_path / "a.csv").table.to_pylist() == [{"_row": 2, "id": "1", "first": "Łucja"}]


def test_parquet_and_queries_give_the_same_texts(store: LinkStore, tmp_path: Path) -> None:
    duckdb.sql("select 1 as id, 'Ann' as first, date '1980-03-04' as dob").write_parquet(str(tmp_path / "a.parquet"))
    base = sqlite3.connect(tmp_path / "a.sqlite")
    base.execute("create table p as select 1 as id, 'Ann' as first, '1980-03-04' as dob")
    base.commit()
    base.close()
    mapping = mapping_from({"source": "crime", "key": "id", "names": [{"given": "first"}], "born": "dob"})
    assert store.import_(read_parquet(tmp_path / "a.parquet"), mapping).added == 1
    assert store.import_(read_query(f"sqlite://{tmp_path}/a.sqlite", "select * from p"), mapping).unchanged == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": "nr"}, "has no column nr"),
        ({"key": ""}, "no source or no key"),
        ({"nmaes": []}, "no part nmaes"),
        ({"columns": {"fax": "x"}}, "no column fax"),
        ({"names": [{"first": "x"}]}, "first is not known"),
    ],
)
def test_a_wrong_mapping_is_one_sentence(
    store: LinkStore, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    (tmp_path / "a.csv").write_text("id,first\n1,Ann\n")
    with pytest.raises(LinkageError, match=words):
        store.import_(
            read_csv(tmp_path / "a.csv"),
            mapping_from({"source": "crime", "key": "id", "names": [{"given": "first"}], **change}),
        )


def test_files_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text("id,id\n1,2\n")
    (tmp_path / "m.toml").write_text("= wrong")
    for read, words in (
        (lambda: read_csv(tmp_path / "a.csv"), "is empty"),
        (lambda: read_csv(tmp_path / "b.csv"), "two columns named id"),
        (lambda: read_csv(tmp_path / "none.csv"), "cannot be read"),
        (lambda: read_parquet(tmp_path / "a.csv"), "as Parquet"),
        (lambda: read_query("oracle://x/y", "select 1"), "not a database"),
        (lambda: read_query(f"sqlite://{tmp_path}/no.db", "select 1"), "cannot be opened"),
        (lambda: read_mapping(tmp_path / "m.toml"), "is not TOML"),
        (lambda: read_mapping(tmp_path / "no.toml"), "cannot be read"),
    ):
        with pytest.raises(LinkageError, match=words):
            read()
