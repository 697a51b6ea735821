"""A clock that nobody sees protects nobody."""

from __future__ import annotations

from typing import Any

import pytest
from tests.casework import factories

from safelight.casework.clocks.models import NOT_SET, Clock
from safelight.casework.clocks.queries import clock_page, next_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def unset(client: Any) -> tuple[Any, Clock]:
    """A supervisor, and a clock of the unit whose duration the force has not set."""
    case = factories.make_case()
    supervisor = factories.make_user("supervisor")
    clock = Clock.objects.open().filter(case=case).exclude(due_at=None).first()
    assert clock is not None
    Clock.objects.filter(pk=clock.pk).update(due_at=None, duration="")
    client.force_login(supervisor, backend="allauth.account.auth_backends.AuthenticationBackend")
    return supervisor, Clock.objects.get(pk=clock.pk)


def test_a_clock_without_a_time_is_on_the_case_and_on_the_list(unset: tuple[Any, Clock]) -> None:
    supervisor, clock = unset
    assert clock.pk in [view.clock.pk for view in next_due(clock.case, limit=20)]
    assert [view.clock.pk for view in clock_page(supervisor, state=NOT_SET).rows] == [clock.pk]
    assert clock.pk not in [view.clock.pk for view in clock_page(supervisor).rows]


def test_the_list_of_clocks_says_that_some_have_no_time(client: Any, unset: tuple[Any, Clock]) -> None:
    page = client.get("/clocks/").content.decode()
    assert "because the force has not set their duration" in page
    assert "?state=not_set" in page
    shown = client.get("/clocks/?state=not_set").content.decode()
    assert "No time set" in shown
    assert unset[1].subject_label in shown
