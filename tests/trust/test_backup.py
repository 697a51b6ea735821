"""F9 at the size that a test can bear: a backup under load, restored, its ledger proven."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.flush import emptying_allowed

from trust import backup


@pytest.fixture
def emptied_afterwards() -> Iterator[None]:
    """Writers in threads of their own need real transactions; the ledger refuses to be emptied otherwise."""
    with emptying_allowed():
        yield


@pytest.mark.usefixtures("emptied_afterwards", "transactional_db")
def test_a_backup_under_load_is_restored_with_all_that_was_acknowledged() -> None:
    """After the loss of the server, notes that somebody was told were kept would not be there."""
    result = backup.run("small")
    assert result.held, result
    assert all(figure.met for figure in result.figures)
