"""The walks prove nothing if the visitor overlooks what is wrong with a page."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

PLANTED = """() => {
  const main = document.querySelector('main');
  main.insertAdjacentHTML('beforeend', '<img src="https://elsewhere.example/x.png"><h1>Two</h1><input type="text">');
  const wide = main.appendChild(document.createElement('div'));
  wide.style.width = '3000px';
  wide.style.height = '1px';
  console.error('planted');
}"""


def test_a_visitor_complains_of_every_planted_fault(visit) -> None:
    """A picture, a second heading, a box without a label, a request elsewhere, a page that fails."""
    with visit("desk", sign_in=False) as visitor:
        visitor.page.goto(visitor.site.url + "/sign-in/")
        visitor.page.evaluate(PLANTED)
        visitor.page.wait_for_timeout(200)
        visitor.look("planted")
        visitor.page.goto(visitor.site.url + "/nowhere/")
        said = "\n".join(visitor.complaints)
        visitor.complaints.clear()
        for words in (
            "shows <img", "2 first-level headings", "scrolls sideways", "axe label", "axe image-alt",
            "which is elsewhere", "planted", "Content Security Policy", "/nowhere/ answered 404",
        ):  # fmt: skip
            assert words in said, f"{words} is missing in:\n{said}"
