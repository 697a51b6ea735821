"""The report on paper: tagged PDF (PDF/UA-1) of the page for people, with fewer rows."""

from __future__ import annotations

import logging
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.exports.html import render_html
from safelight.triage.result import TriageResult

#: A table on paper is cut after so many rows; the page and report.json have the rest.
MOST_ROWS = 500


def render_pdf(result: TriageResult) -> bytes:
    """The PDF of a triage report. Raises EvidenceError as :func:`on_paper`."""
    return on_paper(render_html(result, most_rows=MOST_ROWS))


def on_paper(page: str) -> bytes:
    """A whole HTML page that needs nothing else, as tagged PDF.

    Raises:
        EvidenceError: the libraries that set type are not on this machine.
    """
    for name in ("weasyprint", "weasyprint.progress", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)  # They tell every step, the first while being imported.
    try:
        from weasyprint import HTML
    except OSError as error:
        raise EvidenceError(
            f"The PDF report cannot be made: {error}.", fix="Install Pango (libpango-1.0-0), or leave the PDF out."
        ) from None
    made: bytes = HTML(string=page, url_fetcher=_nothing).write_pdf(pdf_variant="pdf/ua-1", uncompressed_pdf=False)
    return made


def _nothing(url: str, *_: Any, **__: Any) -> Any:
    """The page needs nothing from anywhere, and nothing in it may fetch anything."""
    raise ValueError(f"{url} is not fetched")
