"""The hash set pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.casework.factories import make_user

from safelight.casework.hashsets import forms
from safelight.casework.hashsets.models import HashSetRecord

pytestmark = pytest.mark.django_db
A, B = "0" * 31 + "a", "0" * 31 + "b"


@pytest.fixture
def browser(settings: Any, tmp_path: Path, sign_in: Any) -> Any:
    settings.DATA = tmp_path / "data"
    return sign_in(make_user("administrator"))


def upload(browser: Any, content: bytes, name: str = "list.csv", **fields: Any) -> Any:
    data = {"name": "Example list", "kind": "known", "version": "1", "source": "Publisher", "legal_basis": "A test"}
    return browser.post(
        reverse("hashsets:import"), {**data, **fields, "file": SimpleUploadedFile(name, content)}, follow=True
    )


def test_importing_shows_what_was_left_out_and_what_is_not_mapped(browser: Any) -> None:
    """Whoever imports a list must see at once what of it is not in use."""
    answer = upload(browser, f"md5,category\n{A},99\nshort,A\n{B},A\n".encode()).content.decode()
    assert "1 rows were left out" in answer
    assert "Category numbers that are not mapped" in answer and "99" in answer
    assert "row 3" in answer and "Left out" in answer
    page = browser.get(reverse("hashsets:index")).content.decode()
    assert "Example list" in page


def test_a_bad_file_is_refused_on_the_form(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message must name the file that the person chose."""
    answer = upload(browser, b"just words", "holiday.txt").content.decode()
    assert "holiday.txt" in answer and "There is a problem" in answer
    monkeypatch.setattr(forms, "LARGEST_UPLOAD", 10)
    assert "safelight hashset import" in upload(browser, b"x" * 11).content.decode()
    assert not HashSetRecord.objects.exists()


def test_retiring_asks_for_a_reason(browser: Any) -> None:
    """A list that disappears without a word cannot be explained later."""
    upload(browser, f"md5\n{A}\n".encode())
    row = HashSetRecord.objects.get()
    address = reverse("hashsets:retire", args=[row.reference])
    assert browser.post(address, {"reason": ""}).status_code == 200
    answer = browser.post(address, {"reason": "Withdrawn."}, follow=True).content.decode()
    assert "Triage no longer uses it" in answer
    assert "No hash set is in use" in browser.get(reverse("hashsets:index")).content.decode()
    assert "Example list" in browser.get(reverse("hashsets:index"), {"show": "retired"}).content.decode()


def test_roles(browser: Any, sign_in: Any) -> None:
    """Investigators have no business with the lists themselves."""
    for name in ("hashsets:index", "hashsets:import"):
        assert sign_in(make_user("investigator")).get(reverse(name)).status_code == 403
    assert browser.get(reverse("hashsets:detail", args=["H-000999"])).status_code == 404
    assert browser.get(reverse("hashsets:detail", args=["nonsense"])).status_code == 404
