"""What would be lost: two records of one person, because a clerk or a language wrote the name another way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.linkage.names import roots, script, sound_key, tokens


@pytest.mark.parametrize(
    "spellings",
    [
        "Mohammed Muhammad Mohamad Mohamed محمد",
        "Chowdhury Chaudhry Choudhury",
        "Hussain Husayn Hossain",
        "Aleksandr Alexander Oleksandr",
        "Katherine Catherine Kathryn",
        "Yusuf Youssef Yousuf",
        "Владимир Vladimir",
        "Nguyễn Nguyen",
    ],
)
def test_spellings_of_one_name_sound_alike(spellings: str) -> None:
    keys = {sound_key("".join(tokens(one))) for one in spellings.split()}
    assert len(keys) == 1, keys


def test_short_names_keep_their_vowels_apart() -> None:
    assert len({sound_key(one) for one in ("le", "lu", "lo")}) == 3
    assert sound_key("lee") == sound_key("li")


@pytest.mark.parametrize(
    ("short", "long"), [("bill", "william"), ("sasha", "aleksandr"), ("kasia", "katarzyna"), ("tunde", "babatunde")]
)
def test_a_short_form_shares_a_root_with_the_name(short: str, long: str) -> None:
    assert set(roots(short)) & set(roots(long))


def test_other_names_share_none() -> None:
    assert not set(roots("william")) & set(roots("robert"))
    assert not set(roots("fatima")) & set(roots("khadija"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Dr  Siân O'Neil", ("sian", "oneil")),
        ("Abd al-Rahman", ("abdalrahman",)),
        ("van den Berg", ("vandenberg",)),
        ("Le", ("le",)),
        ("Smith-Jones", ("smith", "jones")),
        ("王伟", ("wangwei",)),
        ("UNKNOWN", ()),
        ("", ()),
    ],
)
def test_a_name_in_parts(text: str, parts: tuple[str, ...]) -> None:
    assert tokens(text) == parts


def test_the_script_of_a_name() -> None:
    assert [script(one) for one in ("Łukasz", "Владимир", "محمد", "12")] == ["latin", "cyrillic", "arabic", ""]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_plain_letters(text: str) -> None:
    for one in tokens(text):
        assert one.isascii() and one.isalpha() and one.islower()
        assert sound_key(one) and sound_key(one) in roots(one)
