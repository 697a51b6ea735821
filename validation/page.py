"""The pack for people: one page that stands alone and prints well."""

from __future__ import annotations

from html import escape
from typing import Any

from safelight.triage.exports.style import STYLE

LIMITS = (
    "The material is synthetic and was made on this machine: it shows how the method behaves on content that is "
    "known to "
    "the last byte, not how often real devices hold what it cannot read. A unit adds its own devices before it "
    "relies on it.",
    "File systems tried here: FAT32, ext4 and NTFS of one partition each, without encryption. Others that Safelight "
    "reads "
    "(exFAT, HFS+, APFS, XFS, ISO 9660, UDF; E01, Ex01, QCOW2, VHD, VHDX, VMDK, DMG; BitLocker, LUKS, FileVault, "
    "LVM) have "
    "tests of their own with the same truth, but no error rate in this pack.",
    "Recovery of deleted files depends on what was written afterwards. Here nothing was: the figures are the best "
    "case.",
    "Carving finds pictures that lie in one piece. Fragmented ones are not found, and no figure here speaks of them.",
    "A match by likeness is a reason to look, never a finding by itself: a person decides. Its rates are those of "
    "synthetic "
    "pictures and of the changes named, not of all changes that people make.",
    "A first answer says with which probability listed material of a size would have been met. It never says that "
    "there is "
    "none, and it cannot see encrypted volumes, material that no list has, or re-encoded copies.",
    "An interval of 0 errors is not an error rate of 0: its upper end is what the number of trials allows to say.",
)
COMPETENCE = (
    "Whoever runs triage has been shown: how an image is made and verified, what each word of the report means "
    "(live, deleted, "
    "carved, not read, like), and that a report without findings clears nobody. Whoever signs the pack has read the "
    "limits "
    "above, has run it on the unit's own machine, and has compared the digest of the results. The unit keeps a "
    "record of who "
    "was trained and assessed, when, and by whom; Safelight cannot know it."
)
PURPOSE = (
    "Triage lists the files of a forensic image, live and deleted, computes their digests, compares them with lists "
    "of known "
    "material, and compares pictures by likeness. Its output is for deciding what is examined first and is not "
    "evaluative "
    "evidence unless the unit has validated it for that (Forensic Science Regulator, statutory Code of Practice, "
    "version 2)."
)


def render(pack: dict[str, Any]) -> str:
    """The page of a pack."""
    about = pack["environment"]
    state = " with uncommitted changes" if about["changed"] else ""
    facts = [
        ("Made", f"{pack['made']}, in {pack['seconds']:,} s"), ("Command", pack["command"]),
        ("Safelight", f"{about['safelight']}, commit {about['commit']}{state}"), ("Python", about["python"]),
        ("System", f"{about['system']}; {about['machine']}"),
        ("Libraries", ", ".join(f"{name} {number}" for name, number in about["libraries"].items())),
        ("Held against", ", ".join(f"{name}: {said}" for name, said in about["against"].items())),
        ("SHA-256 of the results", pack["results_sha256"]),
    ]  # fmt: skip
    parts = [
        _section("Purpose", f"<p>{escape(PURPOSE)}</p>"),
        _section(
            "This run",
            "<dl>" + "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts) + "</dl>",
        ),
        *(_trial(number, trial) for number, trial in enumerate(pack["trials"], 1)),
        _section("Limits", "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in LIMITS) + "</ul>"),
        _section("Competence", f"<p>{escape(COMPETENCE)}</p>"),
        _section(
            "To repeat it",
            f"<p>On Debian 12, in the same commit: <code>{escape(pack['command'])}</code>. The digest of the "
            f"results covers the "
            "digests of the material and every count above, and neither day nor machine: with the same libraries it "
            "is the "
            "same. Where it differs, pack.json says in which count.</p>",
        ),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Safelight: validation of triage</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the pack</a>\n'
        '<header><p class="product">Safelight validation pack</p></header>\n<main id="main">\n'
        "<h1>Validation of device triage</h1>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def _section(title: str, body: str) -> str:
    name = "".join(sign for sign in title.lower().replace(" ", "-") if sign.isalnum() or sign == "-")
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(title)}</h2>{body}</section>'


def _trial(number: int, trial: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(row['what'])}{_note(row)}</td><td>{'wrong' if row['error'] else 'right'}</td>"
        f"<td>{row['k']:,} of {row['n']:,}</td><td>{_interval(row)}</td></tr>"
        for row in trial["measures"]
    )
    data = "".join(f"<li>{escape(name)}: <code>{escape(value)}</code></li>" for name, value in trial["data"].items())
    return _section(
        f"{number}. {trial['name']}",
        f"<p>{escape(trial['method'])} <strong>Held against:</strong> {escape(trial['against'])}.</p>"
        '<table><thead><tr><th scope="col">What was counted</th><th scope="col">Counts</th>'
        '<th scope="col">Cases</th><th scope="col">Share, exact 95 % interval (Clopper-Pearson)</th></tr></thead>'
        f"<tbody>{rows}</tbody></table><p>Material (SHA-256, or seed):</p><ul>{data}</ul>",
    )


def _note(row: dict[str, Any]) -> str:
    return f" ({escape(row['note'])})" if row["note"] else ""


def _interval(row: dict[str, Any]) -> str:
    if not row["n"]:
        return "not tried"
    return f"{100 * row['share']:.3f} % ({100 * row['low']:.3f} to {100 * row['high']:.3f} %)"
