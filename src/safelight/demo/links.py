"""Who is who in the demo: records of two other systems, one run of the linking engine, newest referrals matched.

The records are made from people of the demo, written as another system may have them: a short form, a letter missing,
another address. So the queue of possible links, a person's network and a referral have something to show.
"""

from __future__ import annotations

from dataclasses import replace

from django.apps import apps

from safelight.casework.people.linking import bring_in
from safelight.casework.people.matching import link_folder, match_referral, record_of
from safelight.casework.people.models import Person
from safelight.casework.people.tasks import match_job
from safelight.demo import names
from safelight.linkage import Address, LinkStore, Name, PersonRecord, shipped_model, write_index

HANDLING = "Synthetic offender management, extension 0000"


def build_links(cast: list[int]) -> int:
    """Bring two other systems in, link everyone, match the people of the referrals ``cast``; how many links were found.

    Args:
        cast: primary keys of referrals, each with a suspect.
    """
    people = [_suspect(number) for number in cast]
    folder = link_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with LinkStore(folder / "store.duckdb") as store:
        bring_in(store)
        store.add("crime", _crime(people), origin="Invented for the demo", whole=True)
        store.add("visor", _register(people), origin="Invented for the demo", whole=True)
        store.run(shipped_model())
        write_index(store, folder / "index.duckdb")
    found = sum(match_referral(number) for number in cast)
    _forget_queued()
    return found


def _forget_queued() -> None:
    """The matching that the history queued: its referrals came long ago, and the worker of a newly built demo would be
    busy with some hundreds of them for a minute before it came to the devices that wait."""
    if apps.is_installed("django_tasks_db"):
        from django_tasks_db.models import DBTaskResult

        DBTaskResult.objects.ready().filter(task_path=f"{match_job.func.__module__}.{match_job.func.__name__}").delete()


def _suspect(referral: int) -> Person:
    return Person.objects.filter(referral_links__referral=referral).order_by("pk")[0]


def _crime(people: list[Person]) -> list[PersonRecord]:
    """Crime records: the same people misspelt, or as a year of birth only."""
    found = []
    for number, person in enumerate(people):
        one = record_of(person)
        given, family = one.names[0].given, one.names[0].family
        short = Name(given[:-1], family) if number % 2 else Name(given, family[:-1])
        one = replace(
            one,
            source="crime",
            key=f"SYN-{4100 + number}",
            names=(short,),
            online=(),
            emails=(),
            provenance="invented for the demo",
        )
        if one.born and number % 2 == 0:
            one = replace(one, born=one.born.replace(month=1, day=1), born_precision="year")
        found.append(one)
    return found


def _register(people: list[Person]) -> list[PersonRecord]:
    """A register of offenders: one of them restricted, and one who is another man at a suspect's address."""
    first, second = record_of(people[0]), record_of(people[1])
    third = people[2].address
    return [
        replace(first, source="visor", key="SYN-V1", online=(), emails=(), handling=HANDLING),
        replace(second, source="visor", key="SYN-V2", online=(), emails=()),
        PersonRecord(
            "visor",
            "SYN-V3",
            (Name("Linden", "Synthetic-Dotterel"),),
            sex="male",
            addresses=(Address(third, names.postcode(third)),),
            provenance="invented for the demo",
        ),
    ]
