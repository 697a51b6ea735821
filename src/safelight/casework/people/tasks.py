"""Matching in the background, so that recording a referral never waits for it."""

from __future__ import annotations

from django_tasks import task

from safelight.casework.people.matching import match_referral


@task()
def match_job(referral_pk: int) -> int:
    """Match the people of one referral against everyone on record."""
    return match_referral(referral_pk)


def match_later(referral_pk: int) -> None:
    """Queue the matching of a referral's people, in the transaction that writes it: no crash can part the two."""
    match_job.enqueue(referral_pk=referral_pk)
