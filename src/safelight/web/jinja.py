"""The one Jinja2 environment: made once per process, so that every macro is compiled once.

(A fresh environment per component costs 16 to 24 ms each; a page has dozens.)
"""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader

from safelight.casework.base.links import address
from safelight.web import form_fields
from safelight.web.filters import FILTERS


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a named page; raises NoReverseMatch for an unknown one."""
    return reverse(name, args=args or None, kwargs=kwargs) if kwargs else address(name, *args)


def environment(**options: Any) -> Environment:
    """Called once by Django with our template folders; adds the GOV.UK macros beside them."""
    toolkit = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    options["loader"] = ChoiceLoader([options["loader"], toolkit])
    options.update(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made = Environment(**options)  # noqa: S701  autoescape is set in the line above
    made.filters.update(FILTERS)
    made.globals.update(
        url=url,
        static=static,
        now=timezone.now,
        describe_field=form_fields.describe,
        plain_fields=form_fields.plain_fields,
        problems=form_fields.problems,
    )
    return made
