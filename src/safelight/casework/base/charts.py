"""Altair charts as SVG for the inside of a page: no script, no style attribute; the table beside each says the same."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from markupsafe import Markup

INK = "#0b0c0c"
WIDTH = 760
_CONFIG = {
    "font": "arial, sans-serif",
    "background": "white",
    "axis": {"labelFontSize": 13, "titleFontSize": 13, "labelColor": INK, "titleColor": INK},
    "legend": {"labelFontSize": 13, "titleFontSize": 13, "orient": "top", "title": None},
    "view": {"stroke": None},
}


def drawn(chart: Any) -> Markup:
    """The chart as SVG, hidden from screen readers: the figure around it has its name, the table its numbers."""
    return _svg(json.dumps(chart.configure(**_CONFIG).to_dict(), sort_keys=True))


@lru_cache(maxsize=64)
def _svg(specification: str) -> Markup:
    import vl_convert

    svg = vl_convert.vegalite_to_svg(specification)
    # The names in it are text nodes that vl-convert has escaped.
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704
