"""A first answer in words: what its sample shows, and what it cannot show."""

from __future__ import annotations

import math
from collections.abc import Sequence

from safelight.triage.blockruns import BLOCK
from safelight.triage.model import UnreadPart
from safelight.triage.result import Counts, Finding, Verdict
from safelight.triage.sampled import ENOUGH, FirstAnswer
from safelight.triage.verdict import NO_PROOF, count_words, decide, size_words, unread_words

NONE_IN_SAMPLE = "no listed material in the sample"


def percent(probability: float) -> str:
    """A probability in per cent, never rounded up: `99.0 %`."""
    if probability >= 1:
        return "100 %"
    digits = 1 if probability < 0.999 else 3
    scale = 10.0 ** (digits + 2)
    # What lies a hair below a round number because of binary fractions is that number.
    return f"{math.floor(probability * scale + 1e-6) / 10.0**digits:.{digits}f} %"


def claims(first: FirstAnswer) -> list[str]:
    """What the sample shows where it met nothing, as sentences that stand alone."""
    said = []
    space = size_words(first.places * BLOCK)
    if first.drawn and first.drawn == first.places:
        said.append(f"Every place of the {space} that could be sampled was looked at.")
    elif first.drawn:
        asked, least = size_words(first.settings.at_least), first.least
        if first.probability >= 0.5 and first.settings.at_least < first.places * BLOCK:
            said.append(
                f"If at least {asked} of listed material were in the {space} that could be sampled, this run would "
                f"have found some with a probability of {percent(first.probability)}."
            )
        if least is not None and (not first.reached or not said or least < first.settings.at_least / 2):
            said.append(
                f"A probability of {percent(first.settings.probability)} is reached from {size_words(least)} of "
                f"listed material on{'' if said else f' in the {space} that could be sampled'}."
            )
    if first.files_of_listed_size:
        many = count_words(first.files_of_listed_size, "file")
        if first.files_checked == first.files_of_listed_size:
            said.append(
                f"All {many} as long as a listed file were checked: a whole, unchanged copy of a listed file that can "
                f"be seen, among the {first.files_listed:,} files listed, would have been found."
            )
        elif first.least_files is not None:
            least_files = count_words(first.least_files, "whole copy", "whole copies")
            said.append(
                f"Of {many} as long as a listed file, {first.files_checked:,} were checked: of at least {least_files} "
                f"of listed files among them, one would have been found with a probability of "
                f"{percent(first.settings.probability)}."
            )
    elif first.files_listed and first.listing_complete:
        said.append(
            f"None of the {first.files_listed:,} files listed is as long as a listed file, so none is a whole, "
            "unchanged copy of one."
        )
    return said or ["Nothing could be looked at, so this run shows nothing."]


def unseen(first: FirstAnswer, unread: Sequence[UnreadPart], *, folder: bool) -> tuple[str, ...]:
    """What a first answer does not look at, whatever it met."""
    said = [
        "A first answer is a sample. The full pass reads everything, and is still to be done.",
        "It cannot see material that no list has, nor copies that were changed (scaled, re-encoded, edited).",
        "It did not look inside archives, documents and disk images, and compared no pictures by likeness.",
    ]
    if first.left_out:
        said.append(
            f"Not looked at: {size_words(first.left_out)} in encrypted volumes. The probability does not speak of them."
        )
    if first.files_small:
        said.append(
            f"{count_words(first.files_small, 'file')} shorter than 4 KiB cannot be compared by blocks; one as "
            "long as a listed file was read in full."
        )
    if first.places:
        said.append("Blocks that do not begin where clusters of the file system begin cannot be seen.")
    if first.known_zero:
        said.append(
            f"{size_words(first.known_zero)} are holes of the image file, which read as zeros: they were not drawn and "
            "are not counted. Whether the copy left something out there, this run cannot tell."
        )
    if first.unseen_sources:
        said.append(
            f"{first.unseen_sources:,} of the {first.sources:,} files behind the block set have no block of their own "
            "and cannot be seen by blocks."
        )
    if first.places and first.share < 0.995:
        said.append(
            f"{percent(first.share)} of the listed files' bytes lie in blocks that can be known. The probability "
            "counts only these, as if all listed material were alike in this."
        )
    if first.unreadable:
        said.append(f"{count_words(first.unreadable, 'place')} that were drawn could not be read, and are not counted.")
    if not first.listing_complete:
        said.append(f"The listing of files was cut short after {first.files_listed:,}: the time was over.")
    if not first.sources and not folder:
        said.append("No block set was given: only files were checked, and free space not at all.")
    return tuple(said)


def inputs(first: FirstAnswer) -> list[tuple[str, str]]:
    """The numbers that the probability rests on, for whoever computes it again."""
    return [
        ("Places of 4 KiB that could be drawn (N)", f"{first.places:,}"),
        (f"Places that {size_words(first.settings.at_least)} of listed material take (M)", f"{first.held:,}"),
        ("Places drawn, none twice, and read (n)", f"{first.drawn:,}"),
        ("of these, zeros only", f"{first.zero:,}"),
        ("Probability: 1 - C(N-M, n) / C(N, n)", percent(first.probability) if first.drawn else "nothing drawn"),
        ("Drawing ended because", first.ended),
        ("Seed of the drawing", str(first.settings.seed)),
        ("Files listed", f"{first.files_listed:,}" + ("" if first.listing_complete else " (cut short)")),
        ("Files as long as a listed one, checked", f"{first.files_of_listed_size:,}, {first.files_checked:,}"),
        ("Other files of which a random block was looked at", f"{first.files_probed:,}"),
        ("Blocks of listed files met", f"{first.hits:,}"),
        ("Holes of the image file, not drawn", f"{first.known_zero:,} bytes"),
        ("Encrypted, not drawn", f"{first.left_out:,} bytes"),
    ]


def decide_first(
    first: FirstAnswer,
    findings: Sequence[Finding],
    counts: Counts,
    unread: Sequence[UnreadPart],
    *,
    state: str,
    entries_in_sets: int,
) -> Verdict:
    """The verdict of a first answer: what was met, or with which probability listed material would have been met."""
    said = claims(first)
    looked = (
        f"{count_words(first.drawn, 'place')} of 4 KiB and {count_words(first.files_checked, 'file')} of a listed "
        "length were looked at."
    )
    missed = unread_words(unread)
    more = (looked, *((f"{missed[:1].upper()}{missed[1:]}.",) if missed else ()))
    full = decide(findings, counts, unread, state=state, entries_in_sets=entries_in_sets)
    if findings and full.level in ("listed material", "possible listed material"):
        sentence = f"First answer, from a sample: {full.sentence} There may be more: the full pass is still to be done."
        reasons = [r for r in full.reasons if "digest as a listed" in r or "blocks lie one after" in r]
        return Verdict(full.level, sentence, (*reasons, *more))
    if not first.drawn and not first.files_checked and not first.files_listed:
        return Verdict("not read", f"First answer: nothing could be looked at. {NO_PROOF}", more)
    ended = "" if first.ended == ENOUGH or first.reached else f" Drawing ended early: {first.ended}."
    sentence = f"First answer: the sample met no listed material. {said[0]}{ended} {NO_PROOF}"
    return Verdict(NONE_IN_SAMPLE, sentence, (*said[1:], *more))
