"""What platforms call (A3): every call that the exchange describes of itself (OpenAPI), with what fits and what not.

Values are drawn from the description and from a pool of hostile ones: broken JSON, missing and additional fields, wrong
kinds, NUL, half characters, endless numbers, nests, files that are no pictures. Nothing may answer with 500 or more,
every refusal must be one object with *code* and *message*, every answer must fit the description, and what lacks a
required field or is no JSON must be refused. The generator is ours and small; Schemathesis was not run.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

from trust import Result, Size

TITLE = "Calls of platforms"
DATABASES = ("sqlite", "postgresql")
ORDER = 45
CASES = {"small": 8, "full": 200}
HEX = {"pdq": 64, "md5": 32, "sha1": 40, "sha256": 64}
HOSTILE: tuple[Any, ...] = (
    "", " ", "\x00", "a\x00b", "\ud800", "' OR 1=1 --", "../../etc/passwd", "{{7*7}}", "<script>", "%00", "é" * 300,
    "9" * 400, "-1", "1e400", "０１", "null", "x" * 5000, "2026-13-45T99:99:99Z", "0000-00-00", "a\r\nb: c",
    None, True, False, 0, -1, 2**63, 2**200, 1.5, [], [[]], {}, {"a": {"b": [None]}}, [{"signal_type": None}],
)  # fmt: skip


class Nest(int):
    """A list in a list in a list, so many deep: more than our own writer of JSON can write."""


def encoded(made: Any) -> bytes:
    """The bytes that are sent for what was made."""
    return b"[" * made + b"]" * made if isinstance(made, Nest) else json.dumps(made).encode()


def fitting(schema: dict[str, Any], name: str, chance: random.Random) -> Any:
    """A value that the description allows."""
    if "anyOf" in schema:
        return fitting(chance.choice(schema["anyOf"]), name, chance)
    kind = schema.get("type")
    if kind == "object":
        return {key: fitting(part, key, chance) for key, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [fitting(schema.get("items", {}), name, chance) for _ in range(chance.randint(0, 3))]
    if kind == "integer":
        return chance.choice((0, 1, 2, 7, 10**6))
    if kind == "boolean":
        return chance.choice((True, False))
    if kind == "null":
        return None
    if schema.get("format") == "date-time":
        return chance.choice(("2026-11-30T10:00:00Z", "2026-11-30T10:00:00+01:00"))
    if schema.get("format") == "uuid":
        return f"00000000-0000-4000-8000-{chance.getrandbits(48):012x}"
    named = {
        "signal_type": chance.choice(list(HEX)),
        "signal": f"{chance.getrandbits(256):064x}"[: chance.choice((32, 64))],
    }
    named |= {"name": chance.choice(("KNOWN", f"MADE_{chance.randint(0, 99)}")), "url": "", "banks": "KNOWN"}
    return named.get(name, "Synthetic")


def spoiled(body: Any, required: list[str], chance: random.Random) -> tuple[Any, bool]:
    """(a body with one thing wrong, whether it must be refused)."""
    way = chance.randrange(5)
    if way == 0 and isinstance(body, dict) and (there := [one for one in required if one in body]):
        gone = chance.choice(there)
        return {key: value for key, value in body.items() if key != gone}, True
    if way == 1 and isinstance(body, dict) and body:
        return body | {chance.choice(list(body)): chance.choice(HOSTILE)}, False
    if way == 2 and isinstance(body, dict):
        return body | {str(chance.choice(HOSTILE)).encode("utf-8", "replace").decode(): chance.choice(HOSTILE)}, False
    if way == 3:
        return chance.choice([one for one in HOSTILE if not isinstance(one, dict)]), True
    return Nest(chance.choice((50, 3_000, 30_000))), True


class Calls:
    """Sends what was made to the exchange, and judges what comes back."""

    def __init__(self, schema: dict[str, Any], token: str, entry: int) -> None:
        from django.test import Client

        self.schema, self.entry = schema, entry
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"}

    def whole(self, part: Any) -> Any:
        """The description with what it refers to in place."""
        if isinstance(part, dict):
            if "$ref" in part:
                return self.whole(self.schema["components"]["schemas"][part["$ref"].rpartition("/")[2]])
            return {key: self.whole(value) for key, value in part.items()}
        return [self.whole(one) for one in part] if isinstance(part, list) else part

    def send(self, path: str, method: str, said: dict[str, Any], chance: random.Random) -> tuple[Any, bool]:
        """(answer, whether it had to be a refusal)."""
        from urllib.parse import quote

        place, query, refuse = path, {}, False
        calm = chance.random() < 0.5  # every other call has nothing wrong in its address
        hostile = [str(one).encode("utf-8", "replace").decode() for one in HOSTILE]
        for one in said.get("parameters", ()):
            name, right = one["name"], fitting(self.whole(one["schema"]), one["name"], chance)
            if one["in"] == "path":
                right = self.entry if name == "content" else right
                value = (
                    right if chance.random() < 0.7 else chance.choice([text for text in hostile if text.strip("./ ")])
                )
                place = place.replace(f"{{{name}}}", quote(str(value), safe=""))
            elif calm or chance.random() < 0.8:
                query[name] = right if calm or chance.random() < 0.6 else chance.choice(hostile)
            else:
                refuse = refuse or bool(one.get("required"))
        if query:
            place += "?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        content = said.get("requestBody", {}).get("content", {}).get("application/json")
        body, kind = b"", "application/json"
        if content is None and method in ("post", "put"):
            body = chance.choice((b"", b"{}", b"\xff\xfe", b"--x\r\n\r\n--x--", chance.randbytes(300)))
            kind = chance.choice(("application/json", "multipart/form-data; boundary=x", "text/plain", "image/png", ""))
        elif content is not None:
            schema = self.whole(content["schema"])
            made: Any = fitting(schema, "", chance)
            if not calm and chance.random() < 0.8:
                made, refuse_it = spoiled(made, schema.get("required", []), chance)
                refuse = refuse or refuse_it
            body = encoded(made)
            if not calm and chance.random() < 0.2:
                body, refuse = body[: len(body) // 2] + chance.choice((b"", b"\xff", b"}")), True
        answer = self.client.generic(method.upper(), place, body, content_type=kind, headers=self.headers)
        return answer, refuse

    def fault(self, answer: Any, said: dict[str, Any], refuse: bool) -> str:
        """What is wrong with an answer, or ""."""
        import jsonschema

        if answer.status_code >= 500:
            return f"{answer.status_code}"
        try:
            told = json.loads(answer.content)
        except ValueError:
            return f"{answer.status_code} with what is no JSON: {answer.content[:80]!r}"
        if answer.status_code >= 400:
            right = isinstance(told, dict) and all(isinstance(told.get(key), str) for key in ("code", "message"))
            return "" if right else f"{answer.status_code} without code and message: {answer.content[:200]!r}"
        if refuse:
            return f"{answer.status_code} for what had to be refused"
        described = said["responses"].get(str(answer.status_code)) or said["responses"].get(answer.status_code)
        if described is None:
            return f"{answer.status_code}, which is not described"
        schema = self.whole(described["content"]["application/json"]["schema"])
        try:
            jsonschema.validate(told, schema)
        except jsonschema.ValidationError as error:
            return f"{answer.status_code} that does not fit its description: {error.message[:120]}"
        return ""


def run(size: Size) -> Result:
    """A3 on the database that Django is set up for. Everything is taken back."""
    from django.db import transaction
    from django.test import override_settings

    from safelight.web import exchange_settings

    result = Result()
    with (
        tempfile.TemporaryDirectory() as folder,
        override_settings(
            DATA=Path(folder), ROOT_URLCONF=exchange_settings.ROOT_URLCONF, MIDDLEWARE=exchange_settings.MIDDLEWARE,
            FILE_UPLOAD_HANDLERS=exchange_settings.FILE_UPLOAD_HANDLERS, EXCHANGE_ANSWER_GRID=0,
        ),
        transaction.atomic(),
    ):  # fmt: skip
        _calls(size, result)
        transaction.set_rollback(True)
    return result


def _calls(size: Size, result: Result) -> None:
    from tests.casework.exchange.makers import make_key, make_own_bank, make_platform, manager

    from safelight.casework.exchange import api as api_module
    from safelight.casework.exchange import banks
    from safelight.casework.exchange.publishing import publish_all

    boss = manager()
    bank = make_own_bank(boss, "KNOWN")
    entry = banks.add_content(boss, bank, signals={"md5": "0a" * 16})
    platform = make_platform(boss, held=[bank], per_minute=10**6, per_day=10**7)
    _, token = make_key(boss, platform)
    publish_all()
    schema = api_module.api.get_openapi_schema(path_prefix="/")
    calls, chance = Calls(json.loads(json.dumps(schema)), token, entry.pk), random.Random(5)
    try:
        for path, methods in calls.schema["paths"].items():
            for method, said in methods.items():
                right, seen = 0, set()
                for _ in range(CASES[size]):
                    answer, refuse = calls.send(path, method, said, chance)
                    seen.add(answer.status_code)
                    if wrong := calls.fault(answer, said, refuse):
                        result.fail(f"{method.upper()} {path}: {wrong}")
                    else:
                        right += 1
                result.add(f"{method.upper()} {path}", CASES[size], right, ", ".join(map(str, sorted(seen))))
    finally:
        api_module.close_service()
