"""Every page, for everybody who is not done with signing in."""

from __future__ import annotations

import pytest
from tests.web.security import states

pytestmark = pytest.mark.django_db


def test_who_is_not_done_with_signing_in_meets_what_the_policy_file_says(settings):
    """One page that forgets would show a child's record to whoever has half of a sign-in. All pages: `make trust`."""
    settings.SECOND_FACTOR_DUTY = settings.FRESH_SIGN_IN_DUTY = True
    count, wrong = states.differences(every=6)
    assert not wrong, "\n".join(wrong)
    assert count > 350
