"""The page over several devices: which to examine first and why, with a link to each report."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from safelight.triage.exports.style import STYLE
from safelight.triage.priority import BANDS, RULE, Priority, inputs_of, prioritise
from safelight.triage.result import TriageResult
from safelight.triage.verdict import size_words, unread_words

__all__ = ["Device", "ranked", "render_index"]


@dataclass(frozen=True, slots=True)
class Device:
    """One device of several: its result and the folder of its report, or why there is none."""

    name: str
    folder: str = ""
    result: TriageResult | None = None
    failure: str = ""


def ranked(devices: Sequence[Device]) -> list[tuple[Device, Priority | None]]:
    """By priority; the ones that could not be read come first of all, because nothing is known of them."""
    rows = [(d, prioritise(inputs_of(d.result)) if d.result else None) for d in devices]
    return sorted(rows, key=lambda r: (r[1] is not None, -(r[1].score if r[1] else 0), r[0].name))


def render_index(devices: Sequence[Device]) -> str:
    """The page."""
    rows = ranked(devices)
    failed = sum(p is None for _, p in rows)
    bands = ", ".join(
        f"{sum(p is not None and p.band == band for _, p in rows):,} {band}"
        for _, band in BANDS
        if any(p is not None and p.band == band for _, p in rows)
    )
    lead = f"{len(rows):,} device{'' if len(rows) == 1 else 's'}: {bands}" if bands else f"{len(rows):,} devices"
    lead += f"; {failed:,} could not be triaged." if failed else "."
    body = "".join(_row(number, device, priority) for number, (device, priority) in enumerate(rows, 1))
    heads = "".join(
        f'<th scope="col">{h}</th>' for h in ("Order", "Device", "Priority and why", "Verdict", "Not read", "Size")
    )
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Triage of {len(rows)} devices</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the devices</a>\n'
        '<header><p class="product">Safelight triage</p></header>\n<main id="main">\n'
        f'<h1>Triage of {len(rows):,} devices</h1>\n<p class="lead">{lead}</p>\n'
        f"<p>The order is that of the rule {RULE}. It says what to examine first, never what to leave out: a device "
        "without findings was compared with lists, and what no list has stays unknown. If a child may be in live "
        "contact with a suspect, the devices of that case come first whatever stands here.</p>\n"
        '<div class="scroll" tabindex="0" role="region" aria-label="Devices"><table><caption>Devices in the order of '
        f"their priority</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>\n</main>\n"
        "<footer><p>This page holds no picture.</p></footer>\n</body>\n</html>\n"
    )


def _row(number: int, device: Device, priority: Priority | None) -> str:
    name = f'<span class="path">{_e(PurePath(device.name).name)}</span>'
    if device.result is None or priority is None:
        return (
            f'<tr><th scope="row">{number}</th><td>{name}</td><td><strong>not triaged</strong></td>'
            f"<td>{_e(device.failure)}</td><td>everything</td><td>not known</td></tr>"
        )
    result = device.result
    link = f'<a href="{_e(device.folder)}/report.html">{name}</a>'
    reasons = "".join(f"<li>{_e(r.words)} ({r.points})</li>" for r in priority.reasons)
    why = f"<strong>{_e(priority.band)}</strong>, {priority.score} points<ul>{reasons}</ul>"
    missed = unread_words(result.unread) or "nothing that was listed"
    return (
        f'<tr><th scope="row">{number}</th><td>{link}</td><td>{why}</td><td>{_e(result.verdict.sentence)}</td>'
        f"<td>{_e(missed)}</td><td>{_e(size_words(result.evidence.media_size))}</td></tr>"
    )


def _e(value: object) -> str:
    return html.escape(str(value), quote=True)
