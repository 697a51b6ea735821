"""What asks every page as everybody: the matrix of permissions, and somebody else's number in every address.

Used by test_matrix.py, and at full size by `make trust`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any
from zlib import crc32

from django.db import connection
from django.urls import reverse
from tests.casework.asking import ask, unrendered
from tests.casework.everything import PLAIN, RESTRICTED, address, move_away, nowhere, pages, people_in, restrict
from tests.casework.world import World

from safelight.casework.base.permissions import HIDDEN, PUBLIC, STATUSES, YES, permissions
from safelight.casework.base.routes import Route

ALWAYS = ("holder", "own", "other", "restricted")
"""Relations that are asked of every page; the others of a sample (see above)."""


def told(answer: Any) -> str:
    """What an answer is in the words of the policy file; anything else as its number."""
    return next(
        (word for word, statuses in STATUSES.items() if answer.status_code in statuses), str(answer.status_code)
    )


def asked(route: Route, role: str, relation: str, *, whole: bool) -> list[str]:
    """The methods with which a page is asked as ``role`` in ``relation``: all, or here one of those that share an
    access, in turn; none where the page has no record that one could stand in a relation to."""
    row = permissions().routes[route.name]
    if row.rule == PUBLIC or (not route.takes and relation not in ("own", "holder")):
        return []
    turn = crc32(f"{route.name} {role} {relation}".encode())
    if not whole and relation not in ALWAYS and turn % 4:
        return []
    if whole or relation == "own" or len({step.access for step in row.steps.values()}) > 1:
        return list(row.steps)
    return [list(row.steps)[turn % len(row.steps)]]


def only_the_ledger(execute: Any, sql: str, *rest: Any) -> Any:
    """Fails on a statement that writes anything but entries of the ledger."""
    start = sql.lstrip()[:7].upper()
    if start.startswith(("INSERT", "UPDATE", "DELETE")) and '"ledger_ledgerentry"' not in sql:
        raise AssertionError(f"a look wrote: {sql[:200]}")
    return execute(sql, *rest)


def differences(where: World, *, whole: bool = False, relations: Any = (PLAIN, RESTRICTED)) -> tuple[int, list[str]]:
    """How many cells were asked, and those that answer otherwise than declared."""
    count, wrong = 0, []
    for group in relations:
        if group == RESTRICTED:
            restrict(where)
        for relation in group:
            for role, user in people_in(where, relation):
                for route in pages():
                    for method in asked(route, role, relation, whole=whole):
                        count += 1
                        wrong += _cell(where, route, method, role, relation, user)
    return count, wrong


def _cell(where: World, route: Route, method: str, role: str, relation: str, user: Any) -> list[str]:
    step = permissions().routes[route.name].steps[method]
    declared = permissions().answer(step.access, role, relation)
    # Drawn once for each role, whole; in the other relations who may is all that is asked.
    drawn = nullcontext() if method == "GET" and relation in ("own", "holder") and declared == YES else unrendered()
    watch = connection.execute_wrapper(only_the_ledger) if method == "GET" else nullcontext()
    what = f"{method} {route.name} as {role}, {relation}: declared {declared}, "
    url = address(where, route.name, user)
    try:
        with drawn, watch:
            found = told(ask(user, method, url))
    except Exception as error:  # whatever a page may raise stands in the list of what is wrong  # noqa: BLE001
        found = f"{type(error).__name__}: {error}"[:300]
    if found != declared:
        return [what + f"answers {found}"]
    if relation == "restricted" and declared != YES and route.takes and _bound_to_a_case(step.access):
        kwargs = nowhere(where.arguments[route.name])
        with unrendered():
            elsewhere = told(ask(user, method, reverse(route.name, kwargs=kwargs)))
        if elsewhere != found:
            return [what + f"and {elsewhere} for a record that does not exist: the difference betrays it"]
    return []


def _bound_to_a_case(access: str) -> bool:
    return any(HIDDEN in row.values() for row in permissions().access[access].values())


def swapped(here: World, there: World) -> Iterator[tuple[Route, str, str, str, str]]:
    """(page, method, role, which parameter, address) for every parameter of every page that names a record, replaced by
    one of the other case; as everyone for whom the page of their own case opens and that of a restricted one does not
    exist."""
    for route in pages():
        mine, theirs = here.arguments.get(route.name, {}), there.arguments.get(route.name, {})
        for method, step in permissions().routes[route.name].steps.items():
            for role, relations in permissions().roles.items():
                for relation in ("holder", "own"):
                    shut = "other" if role in ("offender_manager", "partner") else "restricted"
                    if relation not in relations or permissions().answer(step.access, role, relation) != YES:
                        continue
                    if permissions().answer(step.access, role, shut) != HIDDEN:
                        continue
                    for name in route.takes:
                        if name in theirs and theirs[name] != mine[name]:
                            url = address(here, route.name, **{name: theirs[name]})
                            yield route, method, f"{role} {relation}", name, url


def leaks(here: World, there: World) -> tuple[int, list[str]]:
    """How many addresses with a number of ``there`` were asked, and those that did not answer 404."""
    move_away(there)
    people = {f"{role} {one}": user for one in ("holder", "own") for role, user in people_in(here, one)}
    count, wrong = 0, []
    with unrendered():
        for route, method, who, name, url in swapped(here, there):
            count += 1
            status = ask(people[who], method, url).status_code
            if status != 404:
                wrong.append(f"{method} {url} ({route.name}, {name} of another case) as {who}: {status}")
    return count, wrong
