"""Case work at size: `python benchmarks/casework.py [--cases N]`, with DATABASE_URL for PostgreSQL, without for SQLite.

    scripts/with-postgres --durable .venv/bin/python benchmarks/casework.py --cases 1000000
    .venv/bin/python benchmarks/casework.py --cases 100000

A synthetic force of N cases is written into the real schema (_casework_load.py) and the index of the search is built.
Then `safelight serve` runs as in use (two workers), and a load of 10 requests a second (open loop: a request is due at
its time whether or not the one before is answered, and waiting counts) walks through lists, case pages, dashboards and
searches as people of five roles. Writes are timed through the services with their ledger entries, each in a
transaction of its own. Last, the sweep of the clocks and the moving of 500 cases at once.

Beside our figures stand those that other systems publish, or that were measured of the same stack before
(docs/casework-benchmarks.md has the sources). They ran on other machines: they tell the scale, not a race.

`--keep FOLDER` keeps the SQLite database there, or takes the one that is there; on PostgreSQL a database that already
holds cases is taken as it is.
"""

from __future__ import annotations

import argparse
import http.client
import logging
import os
import platform
import queue
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GOALS = {"list": 150, "case": 150, "dashboard": 100, "search": 200, "create": 100, "sweep": 50, "reassign": 2000}
PEERS = """
Published by others, on their machines:
  SORMAS               list of 800,000 cases: more than 30,000 ms; bulk edit of 300 cases: 15 to 20 minutes
  simple.org server    sync API p95 about 400 ms; a regression to 800 ms was reverted
  Mozilla Pontoon      512 ms p95 called fine for an admin page
  Primero, IRIS, LITE, HMPPS: no rows or p95 published
Measured of the bare stack (Django 5.2, gunicorn 2x2, two cores under load):
  list of 15 rows      SQLite 100,000 cases p95 72 ms; PostgreSQL 1,000,000 cases p95 165 ms
  create with history  SQLite p95 66 ms; PostgreSQL p95 54 ms
  JSON list with COUNT PostgreSQL 1,000,000: 7 requests a second
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=10.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the load lasts")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--writes", type=int, default=200)
    parser.add_argument("--only", default="", help="pages whose name holds this")
    parser.add_argument("--alone", action="store_true", help="only each page by itself, one after another")
    parser.add_argument("--keep", type=Path, default=None)
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="safelight-casework-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        set_up(folder)
        run(asked, folder)
    finally:
        if asked.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def set_up(folder: Path) -> None:
    import safelight.standards

    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "safelight.web.settings",
        "SAFELIGHT_DATA": str(folder),
        "SAFELIGHT_DEMO": "1",
        "SAFELIGHT_SITE_STANDARDS": str(Path(safelight.standards.__file__).parent / "data" / "demo_site.toml"),
    }
    import django

    django.setup()
    logging.disable(logging.INFO)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def run(asked: argparse.Namespace, folder: Path) -> None:
    from django.db import connection

    from _casework_load import load
    from safelight.casework.cases.models import Case

    began = time.perf_counter()

    def tell(what: str) -> None:
        print(f"  {time.perf_counter() - began:7.1f} s  {what}", flush=True)

    print(f"{connection.vendor}, {asked.cases:,} cases; Python {platform.python_version()}, {os.cpu_count()} cores")
    if not Case.objects.exists():
        from safelight.casework.search.triggers import remove

        remove()  # one building at the end is faster than an entry with every row
        load(asked.cases, tell)
        rebuild(tell)
        if connection.vendor == "postgresql":
            # What PostgreSQL does by itself within minutes where rows arrive one by one.
            with connection.cursor() as cursor:
                cursor.execute("VACUUM (ANALYZE)")
            tell("vacuumed")
        else:
            from safelight.casework.base.estimates import refresh

            refresh()  # as the regular work does
    rows: list[tuple[str, str, list[float]]] = []
    with serving(asked, folder) as port:
        todo = [visit for visit in visits(asked.cases) if asked.only in visit[1]]
        alone = [(goal, name, [timed_alone(port, cookie, say) for _ in range(4)]) for goal, name, cookie, say in todo]
        if asked.alone:
            report([(goal, name, times[1:]) for goal, name, times in alone])
            return
        rows += pages(asked, port, todo)
    rows += writes(asked.writes)
    rows += sweeping()
    rows += reassigning()
    report(rows)


def rebuild(tell: Callable[[str], None]) -> None:
    try:
        from safelight.casework.search.index import rebuild as again
    except ImportError:
        return
    tell(f"search index: {again(alone=True):,} entries")


class serving:
    """`safelight serve` on a free port, stopped at the end."""

    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        command = [sys.executable, "-m", "safelight.cli.main", "serve", "--port", str(self.port)]
        command += ["--workers", str(asked.workers), "--threads", "4"]
        self.log = (folder / "serve.log").open("wb")
        # One person asks for what a hundred would.
        environment = {**os.environ, "SAFELIGHT_PAGES_A_MINUTE": "0"}
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment)

    def __enter__(self) -> int:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self.port
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"The server did not start: see {self.log.name}")

    def __exit__(self, *_: Any) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def signed_in(user: Any) -> str:
    """The cookie of a session of ``user``."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def visits(total: int) -> list[tuple[str, str, str, Callable[[], str]]]:
    """(goal, name, cookie, how to make the next address or query). A POST address is "/path/ body"."""
    from safelight.casework.accounts.models import User
    from safelight.casework.allocation.models import Allocation
    from safelight.casework.people.models import Person

    rng = random.Random(3)
    desk = User.objects.filter(role="referral_desk").first()
    head = User.objects.filter(role="supervisor", unit__kind="bcu").first() or User.objects.get(role="supervisor")
    officer = User.objects.filter(role="investigator", unit=head.unit).first()
    examiner = User.objects.filter(role="examiner").first()
    who = {"desk": desk, "supervisor": head, "investigator": officer, "examiner": examiner}
    cookies = {name: signed_in(user) for name, user in who.items()}
    live = Allocation.objects.filter(ended_at=None, case__unit=head.unit, case__restricted=False)
    cases = [f"C-{pk:06d}" for pk in live.order_by("-case_id").values_list("case_id", flat=True)[:500]]
    own = list(Person.objects.filter(case_links__case__in=[int(c[2:]) for c in cases]).order_by("-pk")[:500])

    def case() -> str:
        return rng.choice(cases)

    def old() -> str:
        return f"C-{rng.randrange(1, total + 1):06d}"

    lists = [
        ("list", "cases, desk", "desk", lambda: "/cases/"),
        ("list", "cases, deep page", "desk", lambda: f"/cases/?status=all&before={rng.randrange(100, total)}"),
        ("list", "cases, supervisor, past a clock", "supervisor", lambda: "/cases/?breached=1"),
        ("list", "cases, supervisor, a stage", "supervisor", lambda: "/cases/?stage=children"),
        ("list", "cases, investigator, mine", "investigator", lambda: "/cases/?mine=1"),
        ("list", "cases, examiner", "examiner", lambda: "/cases/"),
        ("list", "clocks, supervisor, breached", "supervisor", lambda: "/clocks/?state=breached"),
        ("list", "clocks, desk", "desk", lambda: "/clocks/"),
        ("list", "clocks, investigator, mine", "investigator", lambda: "/clocks/?mine=1"),
        ("list", "devices, examiner", "examiner", lambda: "/devices/"),
        ("list", "people, desk, by a beginning", "desk", lambda: f"/people/?name={rng.choice(own).family_name[:3]}"),
        ("list", "unallocated, supervisor", "supervisor", lambda: "/cases/?unallocated=1"),
        ("dashboard", "my work, supervisor", "supervisor", lambda: "/work/"),
        ("dashboard", "my work, investigator", "investigator", lambda: "/work/"),
        ("dashboard", "my work, desk", "desk", lambda: "/work/"),
        ("dashboard", "supervisor's board", "supervisor", lambda: "/board/"),
        ("dashboard", "referral desk", "desk", lambda: "/referrals/"),
        ("case", "case, summary", "supervisor", lambda: f"/cases/{case()}/"),
        ("case", "case, closed, desk", "desk", lambda: f"/cases/{old()}/"),
        ("case", "case, chronology", "supervisor", lambda: f"/cases/{case()}/chronology/"),
        ("case", "case, clocks", "supervisor", lambda: f"/cases/{case()}/clocks/"),
        ("case", "case, children", "supervisor", lambda: f"/cases/{case()}/children/"),
        ("case", "case, devices", "examiner", lambda: f"/cases/{case()}/devices/"),
        ("case", "person", "supervisor", lambda: f"/people/{rng.choice(own).reference}/"),
    ]
    from urllib.parse import quote

    def one(name: str, who: str, say: Callable[[], str]) -> tuple[str, str, str, Callable[[], str]]:
        return ("search", f"search: {name}", who, lambda: f"/search/ q={quote(say())}")

    def person() -> Any:
        return rng.choice(own)

    lists += [
        one("a reference", "desk", old),
        one("a name", "supervisor", lambda: f"{person().given_names} {person().family_name}"),
        one("the commonest name", "desk", lambda: common()),
        one("a misspelt name", "investigator", lambda: misspelt(person().family_name, rng)),
        one("a postcode", "supervisor", lambda: person().postcode),
        one("a telephone number", "desk", lambda: f"07700 {rng.randrange(1000000):06d}"),
        one("a digest", "examiner", lambda: f"{rng.randrange(1, total):032x}"),
        one("rare words", "supervisor", lambda: rare(rng)),
        one("a word that is in every note", "desk", lambda: "telephone"),
        one("nothing like it", "desk", lambda: f"xq{rng.randrange(10**9)}zz"),
    ]
    return [(goal, name, cookies[role], say) for goal, name, role, say in lists]


def common() -> str:
    from django.db.models import Count

    from safelight.casework.people.models import Person

    if not _COMMON:
        top = Person.objects.filter(pk__lt=20_000).values("family_like").annotate(n=Count("pk")).order_by("-n").first()
        _COMMON.append(Person.objects.filter(family_like=top["family_like"]).first().family_name)
    return _COMMON[0]


_COMMON: list[str] = []


def misspelt(name: str, rng: random.Random) -> str:
    at = rng.randrange(1, max(len(name) - 1, 2))
    return name[:at] + name[at + 1 :] if rng.random() < 0.5 else name[:at] + "e" + name[at:]


def rare(rng: random.Random) -> str:
    from safelight.casework.cases.models import ChronologyEntry

    text = ChronologyEntry.objects.filter(pk=rng.randrange(1, 50_000)).values_list("text", flat=True).first() or "x"
    return " ".join(text.rstrip(".").split()[-2:])


def timed_alone(port: int, cookie: str, say: Callable[[], str]) -> float:
    connection, began = http.client.HTTPConnection("127.0.0.1", port, timeout=60), time.perf_counter()
    status, connection = fetch(connection, cookie, say())
    took = 1000 * (time.perf_counter() - began)
    connection.close()
    if status not in (200, 404):
        print(f"  {say()}: answers {status}", flush=True)
    return took


def pages(asked: argparse.Namespace, port: int, todo: list[Any]) -> list[tuple[str, str, list[float]]]:
    """Each page at its turn, at ``rate`` a second, whether or not the one before has been answered."""
    plan: queue.Queue[tuple[float, int]] = queue.Queue()
    total = int(asked.rate * asked.seconds)
    order = [n % len(todo) for n in range(total)]
    random.Random(5).shuffle(order)
    asks = [(n, todo[n][3]()) for n in order]
    start = time.perf_counter() + 0.5
    for place in range(total):
        plan.put((start + place / asked.rate, place))
    times: list[list[float]] = [[] for _ in todo]
    faults: dict[int, int] = {}

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            try:
                due, place = plan.get_nowait()
            except queue.Empty:
                return
            n, address = asks[place]
            time.sleep(max(0.0, due - time.perf_counter()))
            status, connection = fetch(connection, todo[n][2], address)
            times[n].append(1000 * (time.perf_counter() - due))
            if status not in (200, 404):
                faults[status] = faults.get(status, 0) + 1

    threads = [threading.Thread(target=work) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    print(f"\n{total} requests in {took:.0f} s, {asked.rate:g} a second asked; faults: {faults or 'none'}")
    return [(goal, name, times[n]) for n, (goal, name, _, _) in enumerate(todo)]


def fetch(connection: http.client.HTTPConnection, cookie: str, address: str) -> tuple[int, http.client.HTTPConnection]:
    from django.conf import settings

    path, _, body = address.partition(" ")
    headers = {"Cookie": cookie, "Host": "localhost"}
    if body:
        token = "a" * 32
        headers |= {
            "Cookie": f"{cookie}; {settings.CSRF_COOKIE_NAME}={token}", "X-CSRFToken": token,
            "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
    for _ in range(2):
        try:
            connection.request("POST" if body else "GET", path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            # The server closes connections that were idle for some seconds; a browser then asks again on a new one.
            connection.close()
            connection = http.client.HTTPConnection(connection.host, connection.port, timeout=60)
        else:
            return answer.status, connection
    return 599, connection


def writes(count: int) -> list[tuple[str, str, list[float]]]:
    """A referral recorded, children looked for, a case opened, a note written: as services do it, one by one."""
    from safelight.casework.accounts.models import User
    from safelight.casework.cases.services import note, open_case
    from safelight.casework.referrals.services import record_referral
    from safelight.casework.safeguarding.services import answer_contact_check

    head = User.objects.filter(role="supervisor", unit__kind="bcu").first() or User.objects.get(role="supervisor")
    desk = User.objects.filter(role="referral_desk").first()
    made: dict[str, list[float]] = {"referral with a suspect": [], "case opened": [], "note in a case": []}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        done = step()
        made[name].append(1000 * (time.perf_counter() - began))
        return done

    for n in range(count):
        suspect = {"family_name": f"Synthetic{n}", "given_names": "Example", "postcode": "N1 1AA"}
        referral, _ = timed(
            "referral with a suspect",
            lambda n=n, suspect=suspect: record_referral(
                desk, source="nca", source_reference=f"BENCH-{time.time_ns()}", summary="Synthetic.", suspect=suspect,
                borough=head.unit.boroughs[0],
            ),
        )  # fmt: skip
        answer_contact_check(desk, referral, lives_with="no", sees="no", works_with="no", basis="Synthetic.")
        case = timed(
            "case opened",
            lambda n=n, referral=referral: open_case(
                head, referral=referral, title=f"Operation Bench {n}", unit=head.unit, risk="high",
                risk_source="Synthetic", required_skill="ocsae_investigator", borough=head.unit.boroughs[0],
            ),
        )  # fmt: skip
        timed("note in a case", lambda case=case: note(head, case, "enquiry", "A synthetic enquiry was made."))
    return [("create", name, times) for name, times in made.items()]


def sweeping() -> list[tuple[str, str, list[float]]]:
    from django.db import transaction

    from safelight.casework.clocks.models import Clock
    from safelight.casework.clocks.services import sweep

    with transaction.atomic():
        while sweep():
            pass
    times = []
    for _ in range(20):
        began = time.perf_counter()
        with transaction.atomic():
            sweep()
        times.append(1000 * (time.perf_counter() - began))
    many = Clock.objects.count()
    return [("sweep", f"sweep of {many:,} clocks, none due", times)]


def reassigning() -> list[tuple[str, str, list[float]]]:
    """500 live cases of one unit given to other officers of it, in one transaction; not counted as done by halves."""
    from safelight.casework.accounts.models import User
    from safelight.casework.allocation.models import Allocation
    from safelight.casework.allocation.moving import Move, reassign_many

    head = User.objects.filter(role="supervisor", unit__kind="bcu").first() or User.objects.get(role="supervisor")
    officers = list(User.objects.filter(role="investigator", unit=head.unit).order_by("pk"))
    live = Allocation.objects.filter(ended_at=None, case__unit=head.unit, case__restricted=False)
    rows = list(live.order_by("-case_id")[:500])
    moves = []
    for row in rows:
        place = next(n for n, one in enumerate(officers) if one.pk == row.investigator_id)
        taker = officers[(place + 1) % len(officers)]
        moves.append(Move(case=row.case_id, taker=taker, holder=row.investigator_id))
    began = time.perf_counter()
    reassign_many(head, moves, code="caseload", reason="Synthetic.")
    return [("reassign", f"{len(moves)} cases moved at once", [1000 * (time.perf_counter() - began)])]


def report(rows: list[tuple[str, str, list[float]]]) -> None:
    print(f"\n{'':44}{'n':>5}{'p50 ms':>9}{'p95 ms':>9}{'most':>9}{'goal':>7}")
    groups: dict[str, list[float]] = {}
    for goal, name, times in rows:
        if not times:
            continue
        groups.setdefault(goal, []).extend(times)
        line(name, times, GOALS[goal])
    print()
    for goal, times in groups.items():
        line(f"all of kind {goal}", times, GOALS[goal])
    print(PEERS)


def line(name: str, times: list[float], goal: int) -> None:
    ranked = sorted(times)
    p50, p95 = ranked[len(ranked) // 2], ranked[min(int(len(ranked) * 0.95), len(ranked) - 1)]
    mark = "" if p95 <= goal else "  over"
    print(f"{name:44}{len(ranked):5}{p50:9.1f}{p95:9.1f}{ranked[-1]:9.1f}{goal:7}{mark}", flush=True)


if __name__ == "__main__":
    main()
