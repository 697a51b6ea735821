"""The demo's children: custody, partners and strategy discussions play through as the product's own steps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.factories import make_case, make_child

from safelight.casework.custody.models import Detention
from safelight.casework.safeguarding.models import PoliceProtection, Section47, StrategyDiscussion
from safelight.casework.safeguarding.services import send_safeguarding_referral
from safelight.casework.sharing.models import Sharing, agency_of
from safelight.demo.children import custody_stories, safeguarding_story
from safelight.demo.force import build_force
from safelight.demo.history import play
from safelight.demo.sign_in import HOME_UNIT, SIGN_IN

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def standards_of_the_demo(settings) -> None:
    from safelight.standards.loader import demo_site_path

    settings.SITE_STANDARDS = demo_site_path()


def test_the_day_of_the_home_unit_and_the_cells_play_through() -> None:
    """A newcomer's first minutes would end in a traceback, or with empty pages of custody and of the portal."""
    now = timezone.now()
    force = build_force((now - timedelta(days=60)).date())
    supervisor = force.supervisors[HOME_UNIT]
    before = now - timedelta(hours=30)
    for _ in range(3):
        case = make_case(actor=supervisor, unit=HOME_UNIT)
        child = make_child(case=case, identified_at=before)
        send_safeguarding_referral(
            supervisor, case, children=[child], authority="Camden", recipient="Duty", concern="Synthetic.",
            sent_at=before,
        )  # fmt: skip
    start = now - timedelta(hours=26)
    play([(start, safeguarding_story(force, start)), *custody_stories(force, now)], until=now)
    assert Detention.objects.count() == 6
    assert Detention.objects.in_custody().count() == 3
    assert set(Detention.objects.exclude(released_at=None).values_list("ending", flat=True)) == {
        "local_authority",
        "court",
    }
    assert (StrategyDiscussion.objects.count(), StrategyDiscussion.objects.filter(covert=True).count()) == (2, 1)
    assert (Section47.objects.count(), PoliceProtection.objects.count(), Sharing.objects.count()) == (1, 1, 4)
    names = {username for username, role, _ in SIGN_IN if role == "partner"}
    from safelight.casework.accounts.models import User

    (partner,) = User.objects.filter(username__in=names)
    assert partner.has_usable_password()
    assert agency_of(partner) is not None
