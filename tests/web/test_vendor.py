"""What the force would lose: the right to use the page toolkits at all, and pages that fetch nothing from elsewhere."""

from __future__ import annotations

import re

from safelight.web.vendor import TOOLKITS, VENDOR, unbranded_css, without_map


def test_the_brand_of_gov_uk_is_gone():
    files = [path for path in VENDOR.rglob("*") if path.is_file()]
    assert not [path for path in files if re.search(r"crest|crown|logotype|\.woff", path.name)]
    for sheet in VENDOR.rglob("*.css"):
        text = sheet.read_text()
        assert "GDS Transport" not in text
        assert "@font-face" not in text
        assert "govuk-crest" not in text


def test_every_file_the_style_sheets_name_is_there():
    """A missing icon is a request that fails on every page."""
    for sheet in VENDOR.rglob("*.css"):
        for address in re.findall(r"url\(([^)]+)\)", sheet.read_text()):
            if not address.startswith("data:"):
                assert (sheet.parent / address.strip("\"'")).is_file(), address


def test_nothing_points_to_a_map_or_another_site():
    for path in [*VENDOR.rglob("*.css"), *VENDOR.rglob("*.js")]:
        text = path.read_text()
        assert "sourceMappingURL" not in text
        assert not re.search(r"@import|url\([\"']?https?:", text)


def test_every_toolkit_keeps_its_licence():
    for toolkit in TOOLKITS:
        text = (VENDOR / toolkit.folder / "LICENSE.txt").read_text()
        assert "Copyright" in text and "Permission is hereby granted" in text


def test_the_cleaning_itself():
    css = (
        "@font-face{font-family:GDS Transport;src:url(/assets/fonts/a.woff2)}a{font-family:GDS Transport,arial}"
        "b{background:url(/assets/images/govuk-crest.svg)}c{background:url(/assets/images/i.svg)}"
        "/*# sourceMappingURL=x */"
    )
    assert unbranded_css(css) == "a{font-family:arial}b{background:none}c{background:url(images/i.svg)}\n"
    assert without_map("x();//# sourceMappingURL=y.map") == "x();\n"
