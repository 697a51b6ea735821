"""A share of `scripts/trust bad-disk`: a disk that refuses must refuse whole, and the person be told."""

from __future__ import annotations

import pytest

from trust import bad_disk

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_disk_that_refuses_leaves_nothing_half_and_the_person_is_told():
    result = bad_disk.run("small")
    assert result.held, result.failures
