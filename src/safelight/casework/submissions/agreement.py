"""How far graders agree: over files that two or more qualified people have graded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from safelight.casework.cases.models import Case
from safelight.casework.submissions.material import gradeable
from safelight.casework.submissions.models import Grade, GradeVote
from safelight.measures import EmptySampleError, Proportion, proportion
from safelight.measures.coefficients import Coefficient, krippendorff_alpha

MOST = 20_000


@dataclass(frozen=True)
class Agreement:
    """What the votes say.

    Args:
        files: distinct files (of one case) that two or more people graded; only these say anything.
        agreed: the share of them about which everybody agreed, with its interval; None without any.
        alpha: Krippendorff's alpha (nominal), None without any.
        pairs: how often one category met another, in order of gravity: (first, second, number).
        open: disagreements that nobody has settled.
        settled: disagreements that somebody has settled.
        cut: whether there are more votes than were looked at.
    """

    files: int
    agreed: Proportion | None
    alpha: Coefficient | None
    pairs: list[tuple[str, str, int]]
    open: int
    settled: int
    cut: bool


def agreement_of(user: Any) -> Agreement:
    """The agreement of graders over the cases that ``user`` sees, newest votes first. Three queries."""
    cases = Case.objects.visible_to(user)
    rows = list(
        GradeVote.objects.filter(case__in=cases).order_by("-pk").values_list("case", "md5", "category")[: MOST + 1]
    )
    by_file: dict[tuple[int, str], list[str]] = {}
    for case, md5, category in rows[:MOST]:
        by_file.setdefault((case, md5), []).append(category)
    several = [votes for votes in by_file.values() if len(votes) > 1]
    order = {code: place for place, code in enumerate(gradeable())}
    pairs: Counter[tuple[str, str]] = Counter()
    for votes in several:
        pairs.update(combinations(sorted(votes, key=order.__getitem__), 2))
    agreed = sum(len(set(votes)) == 1 for votes in several)
    try:
        alpha = krippendorff_alpha(several, gradeable(), "nominal")
    except EmptySampleError:
        alpha = None
    grades = Grade.objects.filter(case__in=cases)
    return Agreement(
        len(several),
        proportion(agreed, len(several)) if several else None,
        alpha,
        [
            (a, b, number)
            for (a, b), number in sorted(pairs.items(), key=lambda row: (order[row[0][0]], order[row[0][1]]))
        ],
        grades.filter(disputed=True).count(),
        grades.exclude(settled_by=None).count(),
        len(rows) > MOST,
    )
