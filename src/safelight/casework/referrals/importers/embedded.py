"""Keeping pictures out: a report may carry a file inside its text (base64 or hexadecimal). It is never kept."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

# Text of people has blanks; 300 characters of one alphabet without any (line breaks of MIME aside) are a file.
# The look-behind lets a match begin only where a run begins, which keeps the search linear on hostile input.
_RUN = r"[A-Za-z0-9+/_\\-]"
_EMBEDDED = re.compile(
    rf"(?:data:[\w.+/-]{{0,80}}(?:;[\w=.-]{{1,40}}){{0,4}},)?(?<!{_RUN})"
    rf"(?:{_RUN}{{300,}}={{0,2}}|(?:{_RUN}{{40,}}(?:\s|&#1[03];)+){{6,}}{_RUN}*={{0,2}}|(?:[0-9A-Fa-f]{{2}}[\s:,]){{150,}})"
)


def without_embedded_content(text: Any) -> Any:
    """``text`` with every embedded file replaced by a note of its length and digest. Other values come back as they
    are."""
    if not isinstance(text, str):
        return text

    def note(found: re.Match[str]) -> str:
        digest = sha256(found[0].encode("utf-8", "replace")).hexdigest()
        return f"[embedded content of {len(found[0])} characters left out, SHA-256 of its text {digest}]"

    return _EMBEDDED.sub(note, text)
