"""Addresses that are kept: one that leads elsewhere sends an officer into another case."""

from __future__ import annotations

import pytest
from django.urls import NoReverseMatch, reverse, set_script_prefix

from safelight.casework.base.links import address
from safelight.casework.base.routes import routes


def test_every_page_of_one_reference_has_the_address_that_django_gives():
    asked = 0
    for route in routes():
        for text in ("C-000123", "C-000124", "BG-1234567", "somebody", "1", ""):
            if len(route.takes) != 1:
                continue
            try:
                wanted = reverse(route.name, args=[text])
            except NoReverseMatch:
                with pytest.raises(NoReverseMatch):
                    address(route.name, text)
                continue
            asked += 1
            assert address(route.name, text) == wanted
    assert asked > 100


def test_a_site_below_a_folder_keeps_it():
    assert address("cases:detail", "C-000123") == "/cases/C-000123/"
    set_script_prefix("/safelight/")
    try:
        assert address("cases:detail", "C-000123") == "/safelight/cases/C-000123/"
    finally:
        set_script_prefix("/")
    assert address("cases:index") == reverse("cases:index")
