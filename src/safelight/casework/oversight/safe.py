"""Answers on their way out: small counts hidden, and no hidden one to be worked out from the others."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from safelight.casework.base.errors import NotPossible
from safelight.casework.base.standards import standards
from safelight.casework.oversight.asking import Answer
from safelight.cells import safe_cell
from safelight.measures.disclosure import CountTable, Dimension, Policy, Release, make_release, policy
from safelight.measures.errors import MeasuresError


def policy_in_force() -> Policy:
    """The disclosure policy of the force (setting ``disclosure_policy``)."""
    return policy(str(standards().policy["disclosure_policy"].value))


def table_of(found: Answer) -> CountTable:
    """The answer as a table of counts: one axis for each split.

    Raises:
        NotPossible: the answer was cut, or is not split and so is no table.
    """
    if found.more:
        raise NotPossible("The answer has more rows than are shown.", fix="Narrow the question, then export it.")
    sizes = [sorted({str(row[place]) for row in found.rows}) for place in range(len(found.spec.by))]
    if not found.rows:
        raise NotPossible("The answer is empty: there is nothing to export.", fix="Ask for another period.")
    dimensions = tuple(
        Dimension(name, tuple(levels), exhaustive=False) for name, levels in zip(found.spec.by, sizes, strict=True)
    ) or (Dimension("all", ("all",)),)
    counts = np.zeros(tuple(len(d.levels) for d in dimensions), dtype=np.int64)
    for row in found.rows:
        place = tuple(levels.index(str(row[n])) for n, levels in enumerate(sizes)) or (0,)
        counts[place] += row[-1]
    return CountTable("answer", found.spec.table, dimensions, counts)


def safe_csv(found: Answer, extract: Any) -> tuple[str, Release]:
    """The answer as CSV with its metadata in lines that begin with #, after disclosure control.

    Raises:
        NotPossible: it cannot be made safe.
    """
    rule = policy_in_force()
    try:
        release = make_release(extract.reference, [table_of(found)], rule)
    except MeasuresError as error:
        raise NotPossible(str(error)) from None
    out = io.StringIO()
    for line in (
        f"# extract: {extract.reference} of {extract.made_at.isoformat()} sha256 {extract.digest}",
        f"# query: {found.sql}",
        f"# disclosure control: {rule.title} (* = hidden); hidden {100 * release.hidden_share:.1f} % of the cells",
    ):
        out.write(line + "\r\n")
    writer = csv.writer(out)
    writer.writerow(found.head)
    for key, shown in release.tables[0].shown.items():
        writer.writerow(
            ["all" if level is None else safe_cell(level) for level in (key if found.spec.by else ())] + [shown.text]
        )
    return out.getvalue(), release
