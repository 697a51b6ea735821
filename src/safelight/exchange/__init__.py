"""The exchange with internet companies, without the case work around it: look-ups, keys, probing, the journal, shards.

A serving process opens a folder that the case work writes (`keys.json`, `banks.json`, `changes.jsonl`) and answers from
it; what it answered stands in the journal before the answer leaves. It needs no database, so that a database that is
down stops no look-up. See docs/decisions/0020.

::

    from safelight.exchange.service import LookupService

    with LookupService(Path("var/exchange")) as service:
        answers = service.look_up(token, [Query.parse("pdq", text)])
"""

from __future__ import annotations


def warm_up() -> None:
    """Compile the kernel of the watch, or load it where it is compiled already."""
    from safelight.exchange.warmup import warm_up

    warm_up()
