"""``safelight link``: bring person records in, train, link, look one up, report."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from safelight.linkage import LinkStore, Model

link = typer.Typer(help="Link the records of one person across systems.", no_args_is_help=True, rich_markup_mode=None)
StoreOption = Annotated[Path | None, typer.Option("--store", metavar="FILE", help="The store; default: DATA/link.")]


@link.command("import")
def import_command(
    mapping: Annotated[Path, typer.Option(metavar="FILE", help="Which column is what, in TOML: docs/linkage.md.")],
    file: Annotated[Path | None, typer.Argument(help="A CSV or Parquet file.")] = None,
    database: Annotated[
        str, typer.Option(help="Instead of a file: sqlite:///path or postgresql://user@host/name.")
    ] = "",
    query: Annotated[str, typer.Option(help="With --database: the SELECT to run.")] = "",
    whole: Annotated[bool, typer.Option("--whole", help="The source is whole: withdraw records not in it.")] = False,
    store: StoreOption = None,
) -> None:
    """Bring a source in. The same source again changes nothing."""
    from safelight.errors import SafelightError
    from safelight.linkage import read_csv, read_mapping, read_parquet, read_query

    if (file is None) == (not database) or bool(database) != bool(query):
        raise SafelightError("Nothing to read, or too much.", fix="Give a file, or --database with --query.")
    columns = read_mapping(mapping)
    if file is None:
        staged = read_query(database, query)
    else:
        staged = read_parquet(file) if file.suffix.lower() in {".parquet", ".pq"} else read_csv(file)
    with _store(store) as opened:
        done = opened.import_(staged, columns, whole=whole)
    typer.echo(done.words)
    for note in done.notes:
        typer.echo(f"  {note}")
    for row in done.rejected[:20]:
        typer.echo(f"  row {row.row} refused: {row.reason}")
    if len(done.rejected) > 20:
        typer.echo(f"  and {len(done.rejected) - 20:,} more: safelight link report")
    if done.rejected:
        raise typer.Exit(3)


@link.command("train")
def train_command(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the model.")],
    learn_m: Annotated[
        bool, typer.Option("--learn-m", help="Learn too how records of one person differ (see docs/linkage.md first).")
    ] = False,
    start: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The model to start from; default: the shipped.")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Fit the shipped model to the records of the store."""
    with _store(store) as opened:
        model = opened.train(start=_model(start), learn_m=learn_m)
    model.save(out)
    report = model.report
    typer.echo(f"Model {model.version} from {report['records']:,} records in {report['seconds']} s: {out}")
    typer.echo(f"  about {report['expected_pairs_of_one_person']:,} pairs of records of one person expected")
    for note in report["notes"]:
        typer.echo(f"  {note}")


@link.command("run")
def run_command(
    model: Annotated[Path | None, typer.Option(metavar="FILE", help="The model; default: the shipped.")] = None,
    engine: Annotated[str, typer.Option(help="duckdb, or spark where one machine is too small.")] = "duckdb",
    casework: Annotated[
        bool, typer.Option("--casework", help="Bring in Safelight's own people and what was decided about them first.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Link every record, and write the index that the desk looks new people up in."""
    from safelight.errors import SafelightError
    from safelight.linkage import write_index

    if engine not in ("duckdb", "spark"):
        raise SafelightError(f"There is no engine {engine!r}.", fix="Use duckdb or spark.")
    with _store(store) as opened:
        if casework:
            from safelight.cli.django import setup

            setup()
            from safelight.casework.people.linking import bring_in

            people, brought = bring_in(opened)
            typer.echo(f"{people:,} people of Safelight, {brought:,} new decisions about them")
        done = opened.run(_model(model), engine="spark" if engine == "spark" else "duckdb")
        index = write_index(opened, _place(store).with_name("index.duckdb"))
    made = done.clusters
    typer.echo(
        f"Run {done.number}, model {done.model}: {made.records:,} records, {made.clusters:,} people, "
        f"{made.of_several:,} of them in several records (at most {made.largest})"
    )
    typer.echo(
        f"  {done.blocking.pairs:,} pairs compared, {done.edges:,} worth a look; {sum(done.seconds.values()):.1f} s"
    )
    for kind, keys in done.blocking.left_out_kinds.items():
        typer.echo(f"  left out: {keys:,} values of '{kind}' that more than {done.blocking.largest} records share")
    if done.shared_contacts:
        typer.echo(
            f"  {done.shared_contacts:,} telephone numbers or addresses of many records say nothing and were ignored"
        )
    for reason, count in made.guarded.items():
        typer.echo(f"  guard: {count:,} pairs not joined ({reason})")
    typer.echo(f"Index: {index}")


@link.command("match")
def match_command(
    given: Annotated[str, typer.Option(help="Given names.")] = "",
    family: Annotated[str, typer.Option(help="Family name.")] = "",
    born: Annotated[str, typer.Option(help="Date of birth, YYYY-MM-DD.")] = "",
    line: Annotated[str, typer.Option(help="Address without the postcode.")] = "",
    postcode: Annotated[str, typer.Option(help="Postcode.")] = "",
    phone: Annotated[str, typer.Option(help="Telephone number.")] = "",
    email: Annotated[str, typer.Option(help="E-mail address.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100)] = 5,
    store: StoreOption = None,
) -> None:
    """Who may this be? With the reasons, likeliest first."""
    from safelight.errors import SafelightError
    from safelight.linkage import Address, LinkIndex, Name, PersonRecord

    try:
        day = date.fromisoformat(born) if born else None
    except ValueError as error:
        raise SafelightError(f"{born!r} is not a date.", fix="Write it as 1980-03-04.") from error
    asked = PersonRecord(
        "command", "asked", (Name(given, family),) if given or family else (), born=day,
        born_precision="day" if day else "none", addresses=(Address(line, postcode),) if line or postcode else (),
        phones=(phone,) if phone else (), emails=(email,) if email else (),
    )  # fmt: skip
    index = LinkIndex(_place(store).with_name("index.duckdb"))
    found = index.match_one(asked, limit=limit)
    for one in found:
        if one.handling:
            typer.echo(f"A restricted record matches. Ask {one.handling}.")
            continue
        evidence = one.evidence
        typer.echo(
            f"{one.source}/{one.key}  person {one.cluster}  weight {evidence.weight:.1f} ({evidence.probability:.1%})"
        )
        for reason in (*evidence.reasons, *([f"But: {evidence.guard}"] if evidence.guard else [])):
            typer.echo(f"    {reason}")
    if not found:
        typer.echo("No record found that may be this person. That does not mean that they are not known.")


@link.command("report")
def report_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    store: StoreOption = None,
) -> None:
    """What was brought in, what the last run did, and which decisions are in force."""
    with _store(store) as opened:
        imports, runs, decisions = _reports(opened)
    if as_json:
        typer.echo(json.dumps({"imports": imports, "runs": runs, "decisions": decisions}, indent=2, default=str))
        return
    for at, source, report in imports:
        typer.echo(
            f"{at:%Y-%m-%d %H:%M} import of {source}: {report['rows']:,} rows, {len(report['rejected']):,} refused"
        )
    for at, number, report in runs:
        made = report["clusters"]
        said = f"{made['records']:,} records, {made['clusters']:,} people"
        typer.echo(f"{at:%Y-%m-%d %H:%M} run {number}, model {report['model']}: {said}")
    for number, left, right, verdict in decisions:
        typer.echo(f"Decision {number}: {'/'.join(left)} and {'/'.join(right)} are {verdict}")


def register(app: typer.Typer) -> None:
    """Adds the commands to the ``safelight`` application."""
    app.add_typer(link, name="link")


def _reports(opened: LinkStore) -> tuple[list[Any], list[Any], list[Any]]:
    imports = opened.con.execute("select done_at, source, report from imported order by done_at").fetchall()
    runs = opened.con.execute("select done_at, number, report from run order by number desc limit 5").fetchall()
    return (
        [(at, source, json.loads(report)) for at, source, report in imports],
        [(at, number, json.loads(report)) for at, number, report in runs],
        list(opened.decisions()),
    )


def _place(store: Path | None) -> Path:
    if store is not None:
        return store
    from safelight.web import env

    folder = env.folder("SAFELIGHT_DATA", Path("var")) / "link"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "store.duckdb"


def _store(store: Path | None) -> LinkStore:
    from safelight.linkage import LinkStore

    return LinkStore(_place(store))


def _model(path: Path | None) -> Model:
    from safelight.linkage import Model, shipped_model

    return Model.load(path) if path else shipped_model()
