"""Text that is a program somewhere: in a page, a query, a sheet, a header, a log, a template.

Each kind of hostile text goes through every text field of every form, found from the form classes. What the field lets
through is drawn again in its form, put into a cell of a sheet and into a line of the log. Nothing may come out as a
program: no tag that was typed, no formula, no second line.
"""

from __future__ import annotations

import atexit
import importlib
import inspect
import itertools
import logging
import os
import pkgutil
import re
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from trust import Result, Row, Size

TITLE = "Injection"
ORDER = 20
MARK = "sl7x"
"""Stands in every text of the corpus, so that it is found wherever it goes."""

_SEEDS = {
    "markup": [
        f"<script>{MARK}</script>", f"<img src=x onerror={MARK}>", f'"><svg onload={MARK}>', f"'><b>{MARK}</b>",
        f"</textarea><script>{MARK}</script>", f"</title><h1>{MARK}", f"<!--{MARK}--><i>",
        f"<a href=javascript:{MARK}>",
        f"<iframe srcdoc='{MARK}'>", f"<math><mtext></form><form><mglyph><style></math><img src onerror={MARK}>",
        f"\\x3cscript\\x3e{MARK}", f"<scr<script>ipt>{MARK}", f"&lt;script&gt;{MARK}", f"<{MARK} x=1>",
    ],
    "query": [
        f"' OR 1=1 -- {MARK}", f"'; DROP TABLE cases_case; -- {MARK}", f'" OR ""="{MARK}', f"1) UNION SELECT {MARK}",
        f"%' AND 1=(SELECT {MARK}) --", f"\\'; {MARK}", f"$${MARK}$$", f"{MARK}%_[a-z]",
    ],
    "template": [
        f"{{{{ 7*7 }}}}{MARK}", f"{{% raw %}}{MARK}", f"{{{{ request.user.password }}}}{MARK}", f"${{{MARK}}}",
        f"#{{{MARK}}}",
        f"<%= {MARK} %>", f"{{0.__class__}}{MARK}", f"%(x)s {MARK}", f"%n%n{MARK}",
    ],
    "formula": [
        f"={MARK}()", f"+{MARK}", f"-2+3+{MARK}", f"@SUM({MARK})", f"\t={MARK}", f"|cmd {MARK}", f"＝{MARK}",
        f" ={MARK}",
    ],
    "line": [
        f"a\r\nSet-Cookie: {MARK}=1", f"a\n2026-11-30 ERROR {MARK}", f"a\r{MARK}", f"a\u2028{MARK}", f"a\x85{MARK}",
        f"a\x1b[2J{MARK}", f"a\x00{MARK}", f"a\x0b{MARK}",
    ],
    "pattern": [f"(a+)+$ {MARK}", f".*{MARK}", f"[{MARK}", f"({MARK}", f"\\\\{MARK}", f"^{MARK}$|x"],
    "path": [f"../../etc/{MARK}", f"..\\\\..\\\\{MARK}", f"/etc/{MARK}", f"file:///{MARK}",
        f"C:\\\\{MARK}", f"%2e%2e/{MARK}"],
    "command": [f"; touch {MARK}", f"$(touch {MARK})", f"`{MARK}`", f"| {MARK}", f"&& {MARK}", f"-o {MARK}"],
}  # fmt: skip
_AROUND = ("{}", "x {}", "{} x", "{}{}", "\u202e{}", "É{}", "😀{}", "  {}  ")


def corpus(size: Size) -> dict[str, list[str]]:
    """Kind to texts: four of each kind when small; about 1,000 when full, by joining and dressing the seeds."""
    seeds = _SEEDS
    if size == "small":
        return {kind: texts[:4] for kind, texts in seeds.items()}
    made: dict[str, list[str]] = {}
    wanted = 1000 // len(seeds)
    for kind, texts in seeds.items():
        dressed = (form.replace("{}", one) for form, one in itertools.product(_AROUND, texts))
        joined = (f"{one} {two}" for one, two in itertools.permutations(texts, 2))
        made[kind] = list(dict.fromkeys(itertools.chain(dressed, joined)))[:wanted]
    return made


def forms_of_ours() -> list[type[Any]]:
    """Every form class of the case work that declares fields."""
    from django import forms

    import safelight.casework

    found: dict[str, type[Any]] = {}
    for module in pkgutil.walk_packages(safelight.casework.__path__, "safelight.casework."):
        if "migrations" in module.name or "management" in module.name:
            continue
        loaded = importlib.import_module(module.name)
        for name, one in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(one, forms.BaseForm) and one.__module__ == module.name and getattr(one, "base_fields", None):
                found[f"{module.name}.{name}"] = one
    return [found[name] for name in sorted(found)]


def text_fields() -> Iterator[tuple[str, str, Any]]:
    """(form, name, field) of every field that takes free text."""
    from django import forms

    for one in forms_of_ours():
        for name, field in one.base_fields.items():
            if isinstance(field, forms.CharField) and not isinstance(field, forms.ChoiceField):
                yield f"{one.__module__}.{one.__name__}", name, field


def drawn(name: str, field: Any, text: str) -> str:
    """The field as a page shows it after ``text`` was typed and refused."""
    from django import forms
    from django.template.loader import get_template

    form = type("Asked", (forms.Form,), {name: field})({name: text})
    form.is_valid()
    form.add_error(name, f"Not possible: {text[:50]}")
    return str(_template(get_template).render({"form": form}))


_DRAWS: list[Any] = []


def _template(get_template: Any) -> Any:
    if not _DRAWS:
        environment = get_template("form_page.html").template.environment
        _DRAWS.append(
            environment.from_string(
                '{% from "components/forms.html" import form_fields, error_summary %}'
                "{{ error_summary(form) }}{{ form_fields(form) }}"
            )
        )
    return _DRAWS[0]


def typed_tags(html: str) -> list[str]:
    """Tags, or attributes of tags, in ``html`` that stand there because somebody typed them."""
    found = []
    for tag in re.findall(r"<[^<>]*>", html):
        bare = re.sub(r"=\s*'[^']*'", "", re.sub(r'"[^"]*"', '""', tag))
        if MARK in bare:
            found.append(tag[:120])
    return found


def logged(text: str) -> str:
    """The line of the log after ``text`` got into the message of a logger that is trusted."""
    from safelight.web.logs import JsonLines

    record = logging.LogRecord("safelight", logging.ERROR, __file__, 1, "fault in %s", (text,), None)
    return JsonLines().format(record)


def _django() -> None:
    """Settings and apps, where the tests have not loaded them. No table is read or written."""
    import django
    from django.apps import apps

    if not apps.ready:
        os.environ["SAFELIGHT_TESTING"] = "1"
        os.environ["SAFELIGHT_DATA"] = folder = tempfile.mkdtemp(prefix="safelight-injection-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["DJANGO_SETTINGS_MODULE"] = "safelight.web.settings"
        django.setup()


def run(size: Size) -> Result:
    _django()
    from django.core.exceptions import ValidationError

    from safelight.cells import safe_cell

    result, fields = Result(), list(text_fields())
    counts = {kind: [0, 0] for kind in (*_SEEDS, "sheet", "log")}
    for kind, texts in corpus(size).items():
        for text, (form, name, field) in itertools.product(texts, fields):
            counts[kind][0] += 1
            bad = typed_tags(drawn(name, field, text))
            if bad:
                result.failures.append(f"{form}.{name} gives {bad[0]!r} back for {text!r}.")
            else:
                counts[kind][1] += 1
            try:
                kept = field.clean(text)
            except ValidationError:
                continue
            counts["sheet"][0] += 1
            cell = safe_cell(str(kept))
            if not cell or cell[0] not in "=+-@\t\r\n|＝＋－＠":
                counts["sheet"][1] += 1
            else:
                result.failures.append(f"{form}.{name}: the cell {cell!r} begins a formula.")
        for text in texts:
            counts["log"][0] += 1
            lines = logged(text).rstrip("\n")
            if not any(sign in lines for sign in "\n\r\x85\u2028\x1b\x0b\x00"):
                counts["log"][1] += 1
            else:
                result.failures.append(f"The log has {lines!r}.")
    for kind, (tried, right) in counts.items():
        result.rows.append(Row(kind, tried, right, f"{len(fields)} fields of {len(forms_of_ours())} forms"))
    return result
