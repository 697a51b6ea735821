"""``safelight policy``: who may do what, as declared in the one policy file that the code is checked against."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safelight.errors import CaseworkError

if TYPE_CHECKING:
    from safelight.casework.base.permissions import Permissions

FORMATS = ("text", "csv", "markdown")
MARKS = {"yes": "yes", "no": "–", "hidden": "hidden"}


def said(answers: Mapping[str, str], relations: tuple[str, ...]) -> str:
    """What a role meets, in a few words: "no", "yes", or the relations in which it is "yes" and what else it meets."""
    words = [answers.get(relation, "no") for relation in relations]
    if len(set(words)) == 1:
        return words[0]
    opens = [name for name, word in zip(relations, words, strict=True) if word == "yes"]
    shut = sorted({word for word in words if word in ("no", "hidden")})
    return f"{', '.join(opens) or 'never'}; else {'/'.join(shut)}"


def lines(policy: Permissions, addresses: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """One line for each method of each route: who may, and what it leaves in the ledger."""
    for name, row in policy.routes.items():
        for method, step in row.steps.items():
            line = {"route": name, "method": method, "address": "/" + addresses.get(name, ""), "rule": row.rule}
            for role, relations in policy.roles.items():
                answers = {one: policy.answer(step.access, role, one) for one in relations}
                line[role] = said(answers, relations)
            yield {**line, "records": ", ".join(step.records) or f"none: {step.why}"}


def markdown(policy: Permissions, about: Mapping[str, str], addresses: Mapping[str, str]) -> str:
    """The whole policy as a page: ``docs/permissions.md`` holds exactly this."""
    glass = policy.break_glass
    used: dict[str, list[str]] = {}
    for name, row in policy.routes.items():
        for method, step in row.steps.items():
            used.setdefault(step.access, []).append(f"`{name}`" + ("" if method == "GET" else " (POST)"))
    out = [
        "# Who may do what",
        "",
        "Made by `safelight policy --format markdown` from `src/safelight/casework/base/permissions.toml`, the one",
        "file that the code is checked against ([decision 0043](decisions/0043-one-policy-file.md)).",
        "A test keeps this page true; another asks every page as every role in every relation.",
        "",
        "**yes**: it opens. **–**: the role may not (403, the same whether or not the record exists).",
        "**hidden**: for this person it does not exist (404). Whoever is not signed in is sent to sign in, everywhere.",
        "",
        "## How somebody may stand to a record",
        "",
        *(f"- **{code}**: {words}" for code, words in policy.relations.items()),
        "",
        "## Who may break the glass",
        "",
        f"{_roles(glass.roles)} may open a case that they may not see, for {glass.hours} hours unless set otherwise",
        f"and {glass.most_hours} at most. {_roles(glass.oversight)} and the supervisors of the case hear at once.",
        f"{_roles(glass.reviewers)} review it within {glass.review_days} days of its end, never their own.",
        "It opens the case to read it and to protect the child, not to run it. Nobody breaks a conflict of interest.",
        "Reasons: " + "; ".join(f"*{words}*" for words in glass.reasons.values()) + ".",
        "",
        *_before_the_role(policy),
        "## Access",
    ]
    for name, table in policy.access.items():
        out += ["", f"### {name}", "", about[name] + ".", ""]
        relations = [one for one in policy.relations if any(len(set(row.values())) > 1 for row in table.values())]
        if relations:
            out += [f"| role | {' | '.join(relations)} |", "|---" * (len(relations) + 1) + "|"]
            for role, answers in table.items():
                cells = [MARKS[answers[one]] if one in answers else "" for one in relations]
                out.append(f"| {role} | {' | '.join(cells)} |")
        else:
            open_to = [role for role, row in table.items() if set(row.values()) == {"yes"}]
            out.append(f"{_roles(tuple(open_to))}." if open_to else "Nobody.")
        out += ["", "Pages: " + ", ".join(used.get(name, ["none"])) + "."]
    head = "| page | address | method | access | rule | in the ledger |"
    out += ["", "## Every page", "", head, "|---" * 6 + "|"]
    for name, row in policy.routes.items():
        for method, step in row.steps.items():
            what = ", ".join(step.records) or f"nothing: {step.why}"
            address = addresses.get(name, "").replace("|", "\\|")
            out.append(f"| {name} | `/{address}` | {method} | {step.access} | {row.rule} | {what} |")
    return "\n".join(out) + "\n"


def _before_the_role(policy: Permissions) -> list[str]:
    """What counts before roles do: how far somebody is with signing in; and platforms, which have keys and no roles."""
    out = ["## How far somebody is with signing in", ""]
    out += [f"- **{code}**: {words}" for code, words in policy.states.items()]
    out += [
        "", "*opens*; *sign-in*, *password*, *factor*: where the person is led; *away*: led on; *hidden*: 404;",
        "*role*: as below.", "Asked for each page in each state by a test, and for all of them by `make trust`.", "",
        f"| page | {' | '.join(policy.states)} |", "|---" * (len(policy.states) + 1) + "|",
    ]  # fmt: skip
    for name, words in policy.sign_in.items():
        shown = "every other page" if name == "*" else name
        out.append(f"| {shown} | {' | '.join(words[state] for state in policy.states)} |")
    out += [
        "", "## What platforms' keys open", "",
        "No key, one that is made up or was revoked: 401. A key that is suspended or lacks the scope: 403.", "",
        "| call | scopes of the key | in the ledger |", "|---|---|---|",
    ]  # fmt: skip
    for name, call in policy.platform_keys.items():
        what = ", ".join(call.records) or f"nothing: {call.why}"
        out.append(f"| `{name}` | {', '.join(call.scopes) or 'any'} | {what} |")
    return [*out, ""]


def _roles(roles: tuple[str, ...]) -> str:
    words = [role.replace("_", " ") for role in roles]
    text = ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]
    return text[:1].upper() + text[1:]


def register(app: typer.Typer) -> None:
    @app.command()
    def policy(
        form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "text",
        role: Annotated[str, typer.Option(help="Only what this role may open.")] = "",
        check: Annotated[bool, typer.Option("--check", help="Only say where code and policy file differ.")] = False,
    ) -> None:
        """Who may do what: every page, method, role and relation, and what it leaves in the ledger."""
        from safelight.cli.django import setup

        setup()
        from safelight.casework.base.permissions import abouts, permissions
        from safelight.casework.base.routes import disagreements, routes

        if form not in FORMATS:
            raise CaseworkError(f"--format {form} is unknown.", fix=f"Use one of {', '.join(FORMATS)}.")
        found = disagreements()
        if check:
            for one in found:
                typer.echo(one)
            typer.echo(f"{len(permissions().routes)} pages; {len(found)} differences between code and policy file.")
            raise typer.Exit(1 if found else 0)
        declared = permissions()
        if role and role not in declared.roles:
            raise CaseworkError(f"There is no role {role!r}.", fix=f"Use one of {', '.join(declared.roles)}.")
        addresses = {route.name: route.address for route in routes()}
        if form == "markdown":
            typer.echo(markdown(declared, abouts(), addresses), nl=False)
            return
        rows = [line for line in lines(declared, addresses) if not role or line[role] != "no"]
        keep = ["route", "method", "address", *([role] if role else declared.roles), "records"]
        _print(rows, keep, form)


def _print(rows: list[dict[str, str]], keep: list[str], form: str) -> None:
    out: Any = csv.DictWriter(sys.stdout, keep, extrasaction="ignore", lineterminator="\n")
    if form == "csv":
        out.writeheader()
        out.writerows(rows)
        return
    for line in rows:
        typer.echo(f"{line['method']:<5}{line['route']}  ({line['records']})")
        for role in keep[3:-1]:
            if line[role] != "no":
                typer.echo(f"       {role}: {line[role]}")
