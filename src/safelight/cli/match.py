"""``safelight match``: single files or hashes against lists, without a device and without a database."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from safelight.matching import Match

Codes = list[tuple[str, bytes]]
_BY_DIGITS = {32: ("md5",), 40: ("sha1",), 64: ("sha256", "pdq")}
_HEX = re.compile(r"[0-9a-fA-F]+\Z", re.ASCII)


def register(app: typer.Typer) -> None:
    """Add the command to the ``safelight`` command line."""
    app.command("match")(match)


def match(
    what: Annotated[
        list[str], typer.Argument(metavar="WHAT...", help="Files, or hashes in hexadecimal (MD5, SHA-1, SHA-256, PDQ).")
    ],
    hash_set: Annotated[
        list[Path],
        typer.Option("--hash-set", metavar="SET", help="A list, or the folder of an import; repeat for more."),
    ],
    threshold: Annotated[int, typer.Option(help="Largest PDQ distance that counts as alike (of 256).")] = 31,
    turned: Annotated[
        bool, typer.Option("--turned", help="Look for pictures turned and mirrored too: eight questions a picture.")
    ] = False,
    trimmed: Annotated[bool, typer.Option("--trimmed", help="Look for pictures without their borders too.")] = False,
    limit: Annotated[int, typer.Option(help="Most likenesses shown of one picture or hash.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")] = False,
) -> None:
    """Say which entries of the lists a file or hash matches. Pictures are decoded in a sandboxed process.

    Exit codes: 0 done, 2 bad input, 3 done, but something could not be compared.
    """
    from safelight.cli.hashset_lists import open_or_read
    from safelight.matching import Matcher

    matcher = Matcher([open_or_read(path) for path in hash_set])
    gaps = 0
    for asked, digests, codes, remark in _questions(what, turned=turned, trimmed=trimmed):
        exact = matcher.exact(**{name: value for name, value in digests.items() if value is not None})
        found = [("", m) for m in exact]
        seen = {(m.hash_set, m.row) for m in exact}
        # The plain one first: an entry that it finds is not reported again for the picture turned.
        for how, code in codes:
            for m in matcher.perceptual(code, threshold, limit=limit):
                if (m.hash_set, m.row) not in seen:
                    seen.add((m.hash_set, m.row))
                    found.append((how, m))
        gaps += bool(remark)
        _say(asked, found, remark, as_json=as_json)
    raise typer.Exit(3 if gaps else 0)


def _questions(
    what: list[str], *, turned: bool, trimmed: bool
) -> Iterator[tuple[str, dict[str, bytes | None], Codes, str]]:
    """What was asked, its digests, its PDQs and how each was made, and what of it could not be compared."""
    from safelight.errors import SafelightError
    from safelight.triage.pictures import PicturePool
    from safelight.triage.settings import TriageSettings

    pool: PicturePool | None = None
    try:
        for asked in what:
            path = Path(asked)
            if path.is_file():
                pool = pool or PicturePool(TriageSettings())
                yield asked, *_of_file(path, pool, turned=turned, trimmed=trimmed)
            elif len(asked) in _BY_DIGITS and _HEX.match(asked):
                value, names = bytes.fromhex(asked), _BY_DIGITS[len(asked)]
                digests: dict[str, bytes | None] = {name: value for name in names if name != "pdq"}
                yield asked, digests, [("", value)] if "pdq" in names else [], ""
            else:
                raise SafelightError(
                    f"{asked} is neither a file nor a hash.", fix="Give a path, or 32, 40 or 64 hexadecimal digits."
                )
    finally:
        if pool is not None:
            pool.close()


def _of_file(path: Path, pool: Any, *, turned: bool, trimmed: bool) -> tuple[dict[str, bytes | None], Codes, str]:
    import hashlib

    from safelight.matching import QUALITY_GATE
    from safelight.triage.filetypes import HEAD, PICTURES, sniff

    body = path.read_bytes()
    digests: dict[str, bytes | None] = {
        "md5": hashlib.md5(body, usedforsecurity=False).digest(),
        "sha1": hashlib.sha1(body, usedforsecurity=False).digest(),
        "sha256": hashlib.sha256(body).digest(),
    }
    kind = sniff(body[:HEAD])
    if kind not in PICTURES:
        return digests, [], ""
    made = pool.submit(body, kind, turned=turned, trimmed=trimmed).result()
    if made.problem:
        return digests, [], f"likeness not compared: {made.problem}"
    if made.quality < QUALITY_GATE:
        return digests, [], f"likeness not compared: too little structure (quality {made.quality} of 100)"
    return digests, [("", bytes.fromhex(made.pdq)), *((how, bytes.fromhex(code)) for how, code in made.variants)], ""


def _say(asked: str, found: list[tuple[str, Match]], remark: str, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        typer.echo(
            json.dumps(
                {"asked": asked, "matches": [{**asdict(m), "how": how} for how, m in found], "not_compared": remark}
            )
        )
        return
    typer.echo(f"{asked}: {'no match in these lists' if not found else ''}".rstrip())
    for made, m in found:
        turned = f" when {made}" if made else ""
        how = (
            f"{m.algorithm.upper()} is equal"
            if m.kind == "exact"
            else f"PDQ differs in {m.distance} of 256 bits{turned}"
        )
        doubt = f"; its {', '.join(m.disagrees).upper()} differs: a person must look" if m.disagrees else ""
        aside = f"; set aside: {m.set_aside}" if m.set_aside else ""
        typer.echo(f"  {m.hash_set} ({m.set_kind}), category {m.category or 'none'}: {how}{doubt}{aside}")
    if remark:
        typer.echo(f"  {remark[0].upper()}{remark[1:]}")
