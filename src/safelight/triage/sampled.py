"""What a first answer was told and what it came to: every number that its stated probability rests on."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.errors import EvidenceError
from safelight.triage.blockruns import BLOCK
from safelight.triage.chance import chance_to_miss, least_held

MB = 1_000_000
#: Why drawing ended.
ENOUGH, TIME, ALL, NOTHING, PERSON, LOST = (
    "the probability was reached", "the time was over", "every place was looked at", "there is no place to draw",
    "a person stopped it", "the process that reads the image was lost",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FirstAnswerSettings:
    """How much a first answer shall be able to say.

    Attributes:
        at_least: bytes of listed material that are to be met, if they are there, ...
        probability: ... with this probability. Drawing ends when both are reached.
        seconds: or when this time is over.
        seed: of the drawing. It is chosen at random and recorded; who repeats a run gives it.
        places: end after so many places, to repeat a run that time had cut short; 0 for no such end.
    """

    at_least: int = 20 * MB
    probability: float = 0.99
    seconds: float = 300.0
    seed: int = 0
    places: int = 0

    def __post_init__(self) -> None:
        if self.at_least < BLOCK:
            raise EvidenceError(
                f"Less than {BLOCK:,} bytes of listed material cannot be sampled for.", fix="Give 1 MB or more."
            )
        if not 0 < self.probability < 1:
            raise EvidenceError(
                f"A probability of {self.probability} is not possible.", fix="Give a number between 0 and 1, as 0.99."
            )
        if self.seconds <= 0:
            raise EvidenceError("A first answer needs some time.", fix="Give the minutes that it may take.")


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """The sample and what follows from it.

    Attributes:
        settings: what was asked for.
        media: bytes of the device.
        known_zero: bytes that are zero without reading them (holes of the image file); no places.
        left_out: bytes in which listed material could not be seen (encrypted, not recognised); no places.
        places: stretches of 4 KiB that could be drawn.
        drawn: how many were drawn in whole rounds and read; the probability counts these.
        zero: how many of these held zeros only.
        unreadable: places drawn that could not be read; they count as not drawn.
        share: the part (0 to 1) of the listed files' bytes whose blocks are in the block set.
        sources, unseen_sources: files behind the block set; those of them without any block in it.
        files_listed, listing_complete: files that were listed, and whether that came to its end in time.
        files_small: listed files shorter than a block, which were not checked.
        files_of_listed_size, files_checked: files as long as a listed one; how many of these were checked (at a block
            that the listed file has, or in full).
        files_probed: other files of which one random block was looked at.
        hits: places and probes that held a block of a listed file.
        ended: why drawing ended.
    """

    settings: FirstAnswerSettings
    media: int = 0
    known_zero: int = 0
    left_out: int = 0
    places: int = 0
    drawn: int = 0
    zero: int = 0
    unreadable: int = 0
    share: float = 1.0
    sources: int = 0
    unseen_sources: int = 0
    files_listed: int = 0
    listing_complete: bool = True
    files_small: int = 0
    files_of_listed_size: int = 0
    files_checked: int = 0
    files_probed: int = 0
    hits: int = 0
    ended: str = NOTHING

    @property
    def held(self) -> int:
        """Places that `settings.at_least` bytes of listed material take up; never more than there are."""
        return min(self.places, held_by(self.settings.at_least, self.share))

    @property
    def probability(self) -> float:
        """The probability that this sample meets `settings.at_least` bytes of listed material, if they are there."""
        return 1 - chance_to_miss(self.places, self.held, self.drawn) if self.held else 0.0

    @property
    def least(self) -> int | None:
        """The fewest bytes of listed material that it meets with the probability asked for; None: no such amount."""
        held = least_held(self.places, self.drawn, self.settings.probability) if self.places else None
        if held is None or not self.share:
            return None
        return -(-int(held * BLOCK) // 1) if self.share >= 1 else int(held * BLOCK / self.share) + 1

    @property
    def file_probability(self) -> float:
        """The probability that one whole copy of a listed file among the files of a listed size was checked."""
        if not self.files_of_listed_size:
            return 1.0 if self.listing_complete and self.files_listed else 0.0
        return 1 - chance_to_miss(self.files_of_listed_size, 1, self.files_checked)

    @property
    def least_files(self) -> int | None:
        """The fewest whole copies of which one was checked with the probability asked for; None when none was."""
        return least_held(self.files_of_listed_size, self.files_checked, self.settings.probability)

    @property
    def reached(self) -> bool:
        """Whether the probability asked for was reached."""
        return self.probability >= self.settings.probability or (self.places > 0 and self.drawn == self.places)


def held_by(size: int, share: float) -> int:
    """Places that `size` bytes take up of which this share of the blocks is in the block set."""
    return int(size * share) // BLOCK
