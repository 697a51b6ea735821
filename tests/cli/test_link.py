"""What would be lost: a nightly run that cannot be started, or that hides what it left out."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from safelight.cli.main import app

MAPPING = """
source = "crime"
key = "id"
handling = "owner"
[[names]]
given = "first"
family = "last"
[born]
column = "dob"
[[addresses]]
line = "street"
postcode = "code"
"""


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["link", *words], catch_exceptions=True)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_import_run_match_and_report(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "a.csv").write_text(
        "id,first,last,dob,street,code,owner\n1,William,Thornbury,30/09/1971,12 Park Road,N4 2AB,\n"
        "2,Bill,Thornbury,1971-09-30,12 Park Rd,N42AB,\n3,Zoran,Petrov,03/02/1960,1 Elm St,E1 1AA,DI Roy\n4,short\n"
    )
    store = ("--store", str(tmp_path / "s.duckdb"))
    text = run("import", str(tmp_path / "a.csv"), "--mapping", str(tmp_path / "m.toml"), *store, code=3)
    assert "4 rows, 3 new" in text and "row 5 refused: 2 fields where the header has 7" in text
    assert "3 records, 2 people, 1 of them in several records" in run("run", *store)
    text = run("match", "--given", "Billy", "--family", "Thornbury", "--born", "1971-09-30", *store)
    assert "crime/2" in text and "the same day" in text
    text = run("match", "--given", "Zoran", "--family", "Petrov", "--born", "1960-02-03", *store)
    assert text.strip() == "A restricted record matches. Ask DI Roy."
    assert "not mean that they are not known" in run("match", "--given", "Xu", "--family", "Qin", *store)
    assert "run 1" in run("report", *store)


def test_wrong_input_is_one_sentence(tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "s.duckdb"))
    for words in (["match", "--born", "4/3/80"], ["match", "--given", "x"], ["train", "--out", str(tmp_path / "m")],
                  ["run", "--engine", "sparc"], ["import", "--mapping", str(tmp_path / "m.toml")]):  # fmt: skip
        done = CliRunner().invoke(app, ["link", *words, *store])
        assert type(done.exception).__module__.startswith("safelight."), (words, done.exception)
