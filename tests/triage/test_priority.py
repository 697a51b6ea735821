"""The order in which devices are examined: the child first, stable, and every point explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.triage.samples import NOON, finding, result

from safelight.triage import Counts, Times, UnreadPart
from safelight.triage.codec import decode, encode
from safelight.triage.priority import BANDS, LIVE_CONTACT, Priority, PriorityInputs, band_of, inputs_of, prioritise
from safelight.triage.sampled import FirstAnswer, FirstAnswerSettings

_NUMBERS = st.dictionaries(st.sampled_from(("A", "B", "C", "", "indicative")), st.integers(0, 5000), max_size=5)
INPUTS = st.builds(
    PriorityInputs,
    live_contact=st.booleans(),
    exact=_NUMBERS,
    alike=_NUMBERS,
    newest_days=st.none() | st.integers(0, 4000),
    encrypted=st.integers(0, 4),
    unread_share=st.none() | st.floats(0, 1),
    run=st.sampled_from(("none", "first answer", "full", "failed")),
)


@given(INPUTS, INPUTS)
def test_live_contact_outweighs_everything(one: PriorityInputs, other: PriorityInputs) -> None:
    """A device of a case in which a child is in contact now would wait behind a full one of an old case."""
    first = prioritise(replace(one, live_contact=True))
    second = prioritise(replace(other, live_contact=False))
    assert first.score >= LIVE_CONTACT > second.score and first.band == "live contact"


@given(INPUTS)
def test_every_point_is_explained_and_the_inputs_are_kept(inputs: PriorityInputs) -> None:
    """Nobody could tell a lawyer, or a parent, why a device waited."""
    made = prioritise(inputs)
    assert made.score == sum(r.points for r in made.reasons) and all(r.points > 0 and r.words for r in made.reasons)
    assert made.inputs == inputs and made == prioritise(inputs)
    assert made.band == band_of(made.score) and made.band in {band for _, band in BANDS}
    assert decode(Priority, encode(made)) == made
    assert "clear" not in " ".join(r.words for r in made.reasons).lower()


@given(INPUTS, st.sampled_from(("A", "B", "C")))
def test_more_found_never_comes_later(inputs: PriorityInputs, category: str) -> None:
    """Finding one more listed file would move a device back in the queue."""
    more = dict(inputs.exact)
    more[category] = more.get(category, 0) + 1
    assert prioritise(replace(inputs, exact=more)).score >= prioritise(inputs).score


def test_the_inputs_of_a_run() -> None:
    """The queue would go by something else than what the run found."""
    week = NOON - timedelta(days=5)
    made = inputs_of(
        result(
            findings=(
                finding(times=Times(written=week)), finding(times=Times(written=NOON + timedelta(days=9))),
                finding(path="b", category=None, kind="perceptual", times=Times()),
                finding(path="c", category="not_pertinent"),
            ),
            unread=(UnreadPart("volume 2", "BitLocker encryption, no key was given", 0, 60),),
        ),
        seized=NOON,
    )  # fmt: skip
    assert made == PriorityInputs(False, {"A": 1}, {"": 1}, 5, "the seizure", 1, 0.6, "full")
    scored = prioritise(made)
    assert [r.points for r in scored.reasons] == [35, 10, 8, 8] and scored.band == "first"
    assert inputs_of(result(counts=Counts())).run == "failed"
    first = FirstAnswer(FirstAnswerSettings(), places=10, drawn=5)
    sampled = inputs_of(result(counts=Counts(), first=first, unread=(UnreadPart("x", "y"),)))
    assert sampled.run == "first answer" and sampled.unread_share is None
    assert prioritise(PriorityInputs()).band == "medium" and prioritise(PriorityInputs(run="full")).band == "low"
