"""The report for people: one page that stands alone, prints well and holds no script and no picture of evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from safelight.triage.blockruns import BLOCK
from safelight.triage.exports.style import STYLE
from safelight.triage.first_words import claims, inputs
from safelight.triage.model import UnreadPart
from safelight.triage.priority import inputs_of, prioritise
from safelight.triage.result import STATE_COMPLETE, Finding, TriageResult
from safelight.triage.settings import TriageSettings
from safelight.triage.verdict import size_words, unread_words

_MOST_ROWS = 5_000

_GUIDE = (
    '<section aria-labelledby="guide"><h2 id="guide">How to read this report</h2>'
    "<dl><div><dt>Exact match</dt><dd>The file has the digest of a listed file: byte for byte the same.</dd></div>"
    "<div><dt>Like, distance n</dt><dd>The picture looks like a listed one: n of 256 bits of its PDQ differ. A person "
    "must look at it in the grading tool before it counts.</dd></div>"
    "<div><dt>Block match</dt><dd>A piece of a listed file lies there; the rest may be gone.</dd></div>"
    "<div><dt>Live, deleted, unallocated</dt><dd>A file in use; a file that was deleted and is still there; space that "
    "no file uses.</dd></div>"
    "<div><dt>No findings</dt><dd>Nothing that was read is on the lists. It never means that the device holds "
    "nothing: material that no list has, and parts that were not read, stay unknown.</dd></div></dl></section>"
)


def render_html(result: TriageResult, *, most_rows: int = _MOST_ROWS) -> str:
    """The page. Everything that came from the evidence is escaped; tables are cut after `most_rows`, and say so."""
    name = result.evidence.parts[0].name if result.evidence.parts else "device"
    body = "\n".join(
        (
            _verdict(result),
            _sample(result),
            _priority(result),
            _read_bar(result),
            _GUIDE,
            _findings(result.findings, most_rows),
            _unread(result, most_rows),
            _problems(result, most_rows),
            _counts(result),
            _evidence(result),
            _hash_sets(result),
            _settings(result),
            _repeat(result),
        )
    )
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Triage report: {_e(name)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the report</a>\n'
        f'<header><p class="product">Safelight triage report</p></header>\n<main id="main">\n<h1>{_e(name)}</h1>\n'
        f"{body}\n</main>\n"
        f"<footer><p>Run {_e(result.run_id)}, {_e(result.tool)} {_e(result.tool_version)}. "
        "This report holds no picture.</p></footer>\n</body>\n</html>\n"
    )


def _e(value: object) -> str:
    return escape(str(value), quote=True)


def _when(moment: datetime | None) -> str:
    if moment is None:
        return "not recorded"
    return f'<time datetime="{moment.isoformat()}">{moment.astimezone(UTC):%d %b %Y %H:%M:%S}</time>'


def _table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], total: int | None = None, most: int = _MOST_ROWS
) -> str:
    lines = []
    for number, row in enumerate(rows):
        if number >= most:
            break
        cells = "".join(f"<td>{cell}</td>" for cell in row[1:])
        lines.append(f'<tr><th scope="row">{row[0]}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{_e(h)}</th>' for h in heads)
    cut = ""
    if total is not None and total > most:
        cut = f"<p>The first {most:,} of {total:,} rows. All of them are in report.json.</p>"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{_e(caption)}"><table><caption>{_e(caption)}'
        f"</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>{cut}"
    )


def _list(pairs: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<div><dt>{_e(term)}</dt><dd>{value}</dd></div>" for term, value in pairs)
    return f"<dl>{rows}</dl>"


def _verdict(result: TriageResult) -> str:
    reasons = "".join(f"<li>{_e(r)}</li>" for r in result.verdict.reasons)
    tone = "found" if result.findings else "plain"
    return (
        f'<section class="verdict {tone}" aria-labelledby="verdict"><h2 id="verdict">Verdict</h2>'
        f'<p class="lead">{_e(result.verdict.sentence)}</p><ul>{reasons}</ul></section>'
    )


def _sample(result: TriageResult) -> str:
    if result.first is None:
        return ""
    said = "".join(f"<p>{_e(text)}</p>" for text in claims(result.first))
    rows = ((_e(name), _e(value)) for name, value in inputs(result.first))
    table = _table("What the probability rests on", ("Number", "Value"), rows)
    return (
        '<section aria-labelledby="sample"><h2 id="sample">What this sample shows</h2>'
        f"<p>This is a first answer: a sample, not a full pass.</p>{said}{table}</section>"
    )


def _priority(result: TriageResult) -> str:
    made = prioritise(inputs_of(result))
    reasons = (
        "".join(f"<li>{r.points}: {_e(r.words)}</li>" for r in made.reasons)
        or "<li>0: nothing that this run read raises it.</li>"
    )
    return (
        '<section aria-labelledby="priority"><h2 id="priority">Priority for examination</h2>'
        f"<p>{made.score} points, band {_e(made.band)}, by rule {_e(made.rule)}, from what this run alone knows. "
        "The case adds whether a child is in live contact, which outweighs everything else. "
        f"Points and reasons:</p><ul>{reasons}</ul></section>"
    )


def _read_bar(result: TriageResult) -> str:
    limits = "".join(f"<li>{_e(text)}</li>" for text in result.limits)
    not_looked = f"<h3>What a run of this kind does not look at</h3><ul>{limits}</ul></section>"
    head = '<section aria-labelledby="read"><h2 id="read">What was read</h2>'
    if result.first is not None:
        looked = size_words(result.first.drawn * BLOCK)
        words = (
            f"{result.first.drawn:,} places ({looked}) drawn at random and {result.counts.files_read:,} files "
            f"({size_words(result.counts.bytes_read)}) were read, of {size_words(result.evidence.media_size)}. "
            "The rest was not looked at: this is a sample."
        )
        return f"{head}<p>{_e(words)}</p>{not_looked}"
    read, missed = result.counts.bytes_read, result.bytes_not_read
    total = max(result.evidence.media_size, read + missed, 1)
    rest = total - read - missed if result.evidence.media_size else 0
    state = "Everything that was listed was read." if result.state == STATE_COMPLETE else f"State: {result.state}."
    words = f"{size_words(read)} of file content read, {size_words(missed)} known not to be read"
    if any(p.size is None for p in result.unread):
        words += ", and parts of unknown size"
    if rest > 0:
        words += f". The other {size_words(rest)} are free space and the file systems' own records"
    first, second = 100 * read / total, 100 * (total - rest) / total
    # The bar repeats the sentence above it, so it is hidden from those who hear the page.
    bar = (
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="rest" width="100" height="6" fill="#f3f2f1"></rect>'
        f'<rect class="missed" width="{second:.2f}" height="6" fill="#f47738"></rect>'
        f'<rect class="read" width="{first:.2f}" height="6" fill="#1d70b8"></rect></svg>'
        '<p class="key" aria-hidden="true"><span class="box read"></span>read '
        '<span class="box missed"></span>not read <span class="box rest"></span>free space and records</p>'
    )
    return f"{head}<p>{_e(words)}. {_e(state)}</p>{bar}{not_looked}"


def _label(category: str | None) -> str:
    return "no category" if category is None else category.replace("_", " ")


def _findings(findings: Sequence[Finding], most: int) -> str:
    if not findings:
        inner = (
            "<p>There are no findings among what was read. The verdict says what that means and what it does not.</p>"
        )
        return f'<section aria-labelledby="findings"><h2 id="findings">Findings</h2>{inner}</section>'
    numbers = Counter((_label(f.category), f.kind, f.state) for f in findings)
    summary = _table(
        "Findings by category, kind of match and state",
        ("Category", "Match", "File is", "Findings"),
        ((_e(c), _e(k), _e(s), f"{n:,}") for (c, k, s), n in sorted(numbers.items())),
    )
    rows = (
        (
            _e(_label(f.category)),
            f"{_e(_how(f))}<br><small>{_e(f.algorithm)}</small>",
            f'<span class="path">{_e(f.path)}</span>'
            + "".join(f"<br><small>also {_e(n)}</small>" for n in f.names)
            + "".join(f"<br><small>{_e(n)}</small>" for n in f.notes)
            + "".join(
                f"<br><small>{n} <code>{_e(v)}</code></small>" for n, v in (("MD5", f.md5), ("SHA-1", f.sha1)) if v
            )
            + f"<br><small>by {_e(f.hash_set)}</small>",
            _e(f.state),
            f"{f.size:,}",
            _times(f),
            "<br>".join(f"{o:,}" for o in f.offsets[:5]) + ("<br>…" if len(f.offsets) > 5 else "")
            or "inside its record",
        )
        for f in findings
    )
    table = _table(
        "Findings, the gravest first",
        ("Category", "Match", "Path and digests", "File is", "Bytes", "Created, written (UTC)", "Offsets on the media"),
        rows,
        len(findings),
        most,
    )  # fmt: skip
    return f'<section aria-labelledby="findings"><h2 id="findings">Findings</h2>{summary}{table}</section>'


def _how(finding: Finding) -> str:
    return f"like, distance {finding.distance} ({finding.mode})" if finding.kind == "perceptual" else finding.kind


def _times(finding: Finding) -> str:
    times = finding.times
    if times.created is None and times.written is None:
        return "not recorded"
    return f"{_when(times.created)}<br>{_when(times.written)}"


def _where(part: UnreadPart) -> str:
    return _e(part.what) + (f'<br><span class="path">{_e(part.path)}</span>' if part.path else "")


def _unread(result: TriageResult, most: int) -> str:
    head = '<section aria-labelledby="unread"><h2 id="unread">What was not read</h2>'
    if not result.unread:
        return f"{head}<p>No part that was listed went unread.</p></section>"
    rows = (
        (
            _where(p),
            _e(p.reason),
            "not known" if p.offset is None else f"{p.offset:,}",
            "not known" if p.size is None else f"{p.size:,}",
        )
        for p in result.unread
    )
    table = _table(
        "Parts not read, in disk order", ("Part", "Why", "From byte", "Bytes"), rows, len(result.unread), most
    )
    words = unread_words(result.unread)
    return f"{head}<p>{_e(words[:1].upper() + words[1:])}.</p>{table}</section>"


def _problems(result: TriageResult, most: int) -> str:
    if not result.problems:
        return ""
    rows = ((f'<span class="path">{_e(p.where)}</span>', _e(p.what)) for p in result.problems)
    table = _table("Problems met on the way", ("Where", "What"), rows, len(result.problems), most)
    return f'<section aria-labelledby="problems"><h2 id="problems">Problems</h2>{table}</section>'


def _counts(result: TriageResult) -> str:
    c = result.counts
    pairs = (
        ("Files listed", f"{c.files:,} ({c.files_live:,} live, {c.files_deleted:,} deleted)"),
        ("Deleted names without content", f"{c.names_only:,}"),
        ("Read in full", f"{c.files_read:,} ({size_words(c.bytes_read)})"),
        ("Read in part, not read", f"{c.files_partly_read:,}, {c.files_not_read:,}"),
        ("Empty, or nothing stored on the media", f"{c.empty:,}, {c.sparse:,}"),
        ("Pictures", f"{c.pictures:,}"),
        ("Pictures hashed with PDQ", f"{c.pictures_hashed:,}"),
        ("Pictures too plain for PDQ, not decoded", f"{c.pictures_low_quality:,}, {c.pictures_not_decoded:,}"),
        ("Duplicates of another file here", f"{c.duplicates:,}"),
        ("Vouched for by a known-good set", f"{c.known_good:,}"),
        ("Pictures under another kind of name", f"{c.type_mismatches:,}"),
        ("Folders, links and devices", f"{c.directories:,}, {c.other:,}"),
    )  # fmt: skip
    return (
        f'<section aria-labelledby="counts"><h2 id="counts">Counts</h2>{_list((k, _e(v)) for k, v in pairs)}</section>'
    )


def _evidence(result: TriageResult) -> str:
    e = result.evidence
    agrees = {None: "nothing to compare", True: "yes", False: "NO: the media was changed or damaged"}[e.stored_agrees]
    pairs = [
        ("Format", _e(e.format)),
        ("Size of the media", f"{e.media_size:,} bytes"),
        ("SHA-256 of the media", f"<code>{_e(e.media_sha256)}</code>" if e.media_sha256 else "not computed"),
        ("Digests stored in the image", f"<code>{_e(e.stored_md5 or '')} {_e(e.stored_sha1 or '')}</code>"),
        ("Stored digests agree", _e(agrees)),
    ]
    parts = _table(
        "Files of the image", ("File", "Bytes"), ((_e(p.path), f"{p.size:,}") for p in e.parts), len(e.parts)
    )
    volumes = _table(
        "Volumes",
        ("Number", "Kind", "Description", "From byte", "Bytes"),
        ((f"{v.index}", _e(f"{v.kind} ({v.scheme})"), _e(v.description), f"{v.offset:,}", f"{v.size:,}")
         for v in result.volumes),
    )  # fmt: skip
    systems = _table(
        "File systems",
        ("Type", "From byte", "Live files", "Deleted files", "It says it holds", "Found", "Notes"),
        (
            (
                _e(f.type),
                f"{f.offset:,}",
                f"{f.live:,}",
                f"{f.deleted:,}",
                "no counter" if f.expected is None else _e(f"{f.expected:,} {f.expected_from}"),
                "not counted" if f.found is None else f"{f.found:,}",
                "<br>".join(_e(n) for n in f.notes),
            )
            for f in result.filesystems
        ),
    )
    inner = f"{_list(pairs)}{parts}{volumes}{systems}"
    return f'<section aria-labelledby="image"><h2 id="image">The image</h2>{inner}</section>'


def _hash_sets(result: TriageResult) -> str:
    rows = (
        (
            _e(s.name) + (" (known-good)" if s.known_good else ""),
            _e(s.version or "not given"),
            f"<code>{_e(s.root)}</code>",
            _e(", ".join(f"{name.replace('_', ' ')}: {n:,}" for name, n in s.counts.items())),
        )
        for s in result.hash_sets
    )
    table = _table("Hash sets used", ("Name", "Version", "Root", "Counts"), rows)
    return f'<section aria-labelledby="sets"><h2 id="sets">Hash sets</h2>{table}</section>'


def _settings(result: TriageResult) -> str:
    names = [n for n, f in TriageSettings.__dataclass_fields__.items() if not f.metadata.get("secret")]
    rows = ((_e(n.replace("_", " ")), _e(getattr(result.settings, n))) for n in names)
    tools = ", ".join(f"{name} {number}" for name, number in result.libraries.items())
    pairs = [
        ("Operator", _e(result.operator)),
        ("Started (UTC)", _when(result.started)),
        ("Finished (UTC)", _when(result.finished)),
        ("Tool", _e(f"{result.tool} {result.tool_version}")),
        ("Libraries", _e(tools)),
    ]
    return (
        f'<section aria-labelledby="run"><h2 id="run">The run</h2>{_list(pairs)}'
        f"{_table('Settings', ('Setting', 'Value'), rows)}</section>"
    )


def _repeat(result: TriageResult) -> str:
    image = result.evidence.parts[0].path if result.evidence.parts else "IMAGE"
    command = f"safelight triage {image} --hash-set SET --threshold {result.settings.threshold}"
    if result.settings.block_set:
        command += " --block-set BLOCKS"
    if result.first is not None:
        asked = result.first.settings
        command += (
            f" --first-answer --at-least {asked.at_least / 1e6:g} --probability {asked.probability:g} "
            f"--seed {asked.seed} --places {result.first.drawn}"
        )
    return (
        '<section aria-labelledby="repeat"><h2 id="repeat">How to repeat this run</h2>'
        "<p>With the same image, the hash sets with the roots above and the settings above, another laboratory gets "
        f"the same findings digest:</p><p><code>{_e(result.findings_digest)}</code></p>"
        f"<p><code>{_e(command)} --report FOLDER</code></p></section>"
    )
