"""Whoever guesses begins with the passwords that people take."""

from __future__ import annotations

import hashlib

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from safelight.casework.accounts.models import User
from safelight.web.passwords import NotInBreaches


@pytest.mark.parametrize(
    "weak",
    [
        "password1234", "Password-2026!", "qwertyqwerty", "safelight2026", "Police123456", "SupervisorCustody",
        "123456123456", "aaaaaaaaaaaa", "letmeinletmein", "monkey.dragon", "short", "evidence-forensics",
        "sam.synthetic",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_refused(weak):
    """Twelve characters would be long, and guessed in a second."""
    with pytest.raises(ValidationError):
        validate_password(weak, User(username="sam.synthetic", name="Sam Synthetic"))


@pytest.mark.parametrize(
    "good",
    [
        "lamp in a dark room", "correct horse battery staple", "ALLCAPITALSANDNOTHINGELSE", "тёмная комната лампа",
        "x7#Qp2!mZr9&", "     spaces around     ", "w" + "ordless " * 15,
    ],
)  # fmt: skip
def test_any_kind_of_sign_will_do(good):
    """Rules about capitals and figures make passwords that are written on a note."""
    validate_password(good, User(username="sam", name="Sam Synthetic"))


@given(st.sets(st.text(min_size=1, max_size=12), min_size=1, max_size=60), st.data())
def test_a_breached_one_is_found_wherever_it_stands_and_no_other(tmp_path_factory, words, data):
    """A search that misses the first or the last line of the file would let them pass."""
    file = tmp_path_factory.mktemp("breaches") / "sorted.txt"
    digests = sorted(hashlib.sha1(word.encode()).hexdigest().upper() for word in words)
    file.write_text("".join(f"{digest}:{place}\r\n" for place, digest in enumerate(digests)))
    check = NotInBreaches(str(file))
    for word in words:
        with pytest.raises(ValidationError, match="breach"):
            check.validate(word)
    other = data.draw(st.text(max_size=12).filter(lambda text: text not in words))
    check.validate(other)


def test_without_a_file_nothing_is_asked():
    NotInBreaches().validate("lamp in a dark room")
    assert NotInBreaches().get_help_text() == ""
