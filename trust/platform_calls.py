"""What platforms call (A3): every call that the exchange describes of itself (OpenAPI), with what fits and what not.

Values are drawn from the description and from a pool of hostile ones: broken JSON, missing and additional fields, wrong
kinds, NUL, half characters, endless numbers, nests, files that are no pictures. Nothing may answer with 500 or more,
every refusal must be one object with *code* and *message*, every answer must fit the description, and a body that is
no JSON or does not fit its description must be refused. Each operation's calls are drawn from a seed of its own, and a
failure says what was sent. The generator is ours and small; Schemathesis was not run.
"""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trust import Result, Size

TITLE = "Calls of platforms"
DATABASES = ("sqlite", "postgresql")
ORDER = 45
CASES = {"small": 8, "full": 200}
SEED = 5
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
    if kind == "object" and "properties" in schema:
        made = {key: fitting(part, key, chance) for key, part in schema["properties"].items()}
        if made.keys() >= {"signal_type", "signal"} and chance.random() < 0.7:
            made["signal"] = digits(made["signal_type"], chance)
        return made
    if kind == "object":  # hashes by their kind: one each, or two to compare
        part = schema.get("additionalProperties")
        kinds = chance.sample(list(HEX), chance.randint(0, 2))
        if not isinstance(part, dict):
            return {}
        if part.get("type") == "array":
            return {one: [digits(one, chance) for _ in range(chance.choice((1, 2, 2, 2)))] for one in kinds}
        return {one: digits(one, chance) for one in kinds}
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


def digits(kind: str, chance: random.Random) -> str:
    """A hash of a kind; now and then the one that is known."""
    return ("0a" * 32 if chance.random() < 0.3 else f"{chance.getrandbits(256):064x}")[: HEX[kind]]


def spoiled(body: Any, required: list[str], chance: random.Random) -> Any:
    """A body with one thing wrong, or with a field more."""
    way = chance.randrange(5)
    if way == 0 and isinstance(body, dict) and (there := [one for one in required if one in body]):
        gone = chance.choice(there)
        return {key: value for key, value in body.items() if key != gone}
    if way == 1 and isinstance(body, dict) and body:
        return body | {chance.choice(list(body)): chance.choice(HOSTILE)}
    if way == 2 and isinstance(body, dict):
        return body | {str(chance.choice(HOSTILE)).encode("utf-8", "replace").decode(): chance.choice(HOSTILE)}
    if way == 3:
        return chance.choice([one for one in HOSTILE if not isinstance(one, dict)])
    return Nest(chance.choice((50, 3_000, 30_000)))


def misfit(body: bytes, schema: dict[str, Any]) -> bool:
    """Whether these bytes, as they are sent, are no JSON or not what the description asks for."""
    import jsonschema

    formats = jsonschema.FormatChecker(formats=())
    formats.checks("date-time")(lambda value: not isinstance(value, str) or "T" in value)
    try:
        jsonschema.validate(json.loads(body), schema, format_checker=formats)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return True
    return False


@dataclass(frozen=True)
class Sent:
    """One call: its answer, whether that had to be a refusal, and what was sent (never the key)."""

    answer: Any
    refuse: bool
    what: str


class Calls:
    """Sends what was made to the exchange, and judges what comes back."""

    def __init__(self, schema: dict[str, Any], token: str, known: dict[str, Any]) -> None:
        from django.test import Client

        self.schema, self.known = schema, known
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"}

    def whole(self, part: Any) -> Any:
        """The description with what it refers to in place."""
        if isinstance(part, dict):
            if "$ref" in part:
                return self.whole(self.schema["components"]["schemas"][part["$ref"].rpartition("/")[2]])
            return {key: self.whole(value) for key, value in part.items()}
        return [self.whole(one) for one in part] if isinstance(part, list) else part

    def send(
        self, path: str, method: str, said: dict[str, Any], chance: random.Random, put: dict[str, Any] | None = None
    ) -> Sent:
        """One call as it comes, or one with nothing wrong but what is ``put`` into its body."""
        from urllib.parse import quote

        place, query, refuse = path, {}, False
        calm = put is not None or chance.random() < 0.5  # every other call has nothing wrong in query and body
        hostile = [str(one).encode("utf-8", "replace").decode() for one in HOSTILE]
        for one in said.get("parameters", ()):
            name, right = one["name"], fitting(self.whole(one["schema"]), one["name"], chance)
            if one["in"] == "path":
                right = self.known.get(name, right) if calm or chance.random() < 0.7 else right
                wrong = chance.choice([text for text in hostile if text.strip("./ ")])
                value = right if put is not None or chance.random() < 0.7 else wrong
                place = place.replace(f"{{{name}}}", quote(str(value), safe=""))
            elif calm or chance.random() < 0.8:
                query[name] = right if calm or chance.random() < 0.6 else chance.choice(hostile)
            else:
                refuse = refuse or bool(one.get("required"))
        if query:
            place += "?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        content = said.get("requestBody", {}).get("content", {})
        body, kind = b"", "application/json"
        if (
            "multipart/form-data" in content
            and put is None
            and (chance.random() < 0.7 or "application/json" not in content)
        ):
            body, kind = self.picture(calm, chance)
        elif "application/json" in content:
            schema = self.whole(content["application/json"]["schema"])
            made: Any = fitting(schema, "", chance)
            if not calm and chance.random() < 0.8:
                made = spoiled(made, schema.get("required", []), chance)
            body = encoded(made | put if put else made)
            if not calm and chance.random() < 0.2:
                body = body[: len(body) // 2] + chance.choice((b"", b"\xff", b"}"))
            refuse = refuse or misfit(body, schema)
        answer = self.client.generic(method.upper(), place, body, content_type=kind, headers=self.headers)
        return Sent(answer, refuse, f"{place[:200]} {body[:200]!r}")

    def sweep(self, said: dict[str, Any]) -> list[dict[str, Any]]:
        """Every hostile value in every field of the body, one at a time."""
        content = said.get("requestBody", {}).get("content", {}).get("application/json", {})
        fields = self.whole(content.get("schema", {})).get("properties", {})
        return [{field: value} for field in fields for value in HOSTILE]

    def picture(self, calm: bool, chance: random.Random) -> tuple[bytes, str]:
        """(body, its kind): a picture in a form, or something else."""
        from django.core.files.uploadedfile import SimpleUploadedFile
        from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
        from tests.exchange.test_service import picture

        if calm:
            file = SimpleUploadedFile("p.png", picture(seed=chance.randint(0, 9)))
            return encode_multipart(BOUNDARY, {"photo": file}), MULTIPART_CONTENT
        body = chance.choice((b"", b"{}", b"\xff\xfe", b"--x\r\n\r\n--x--", chance.randbytes(300)))
        return body, chance.choice(
            ("application/json", "multipart/form-data; boundary=x", "text/plain", "image/png", "")
        )

    def fault(self, sent: Sent, said: dict[str, Any]) -> str:
        """What is wrong with an answer, or ""."""
        import jsonschema

        answer = sent.answer
        if answer.status_code >= 500:
            return f"{answer.status_code}"
        try:
            told = json.loads(answer.content)
        except ValueError:
            return f"{answer.status_code} with what is no JSON: {answer.content[:80]!r}"
        if answer.status_code >= 400:
            right = isinstance(told, dict) and all(isinstance(told.get(key), str) for key in ("code", "message"))
            return "" if right else f"{answer.status_code} without code and message: {answer.content[:200]!r}"
        if sent.refuse:
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

    from safelight.casework.exchange import api_frame, banks, notices
    from safelight.casework.exchange.api import api
    from safelight.casework.exchange.publishing import publish_all

    boss = manager()
    bank = make_own_bank(boss, "KNOWN")
    entry = banks.add_content(boss, bank, signals={"md5": "0a" * 16})
    platform = make_platform(boss, held=[bank], per_minute=10**6, per_day=10**7)
    _, token = make_key(boss, platform)
    notice = notices.send_notice(
        boss, platform, url="https://example.org/x", recipient="Synthetic", sent_at=datetime(2026, 11, 1, tzinfo=UTC)
    )
    publish_all()
    schema = api.get_openapi_schema(path_prefix="/")
    known = {"content": entry.pk, "reference": notice.reference, "name": "KNOWN"}
    calls = Calls(json.loads(json.dumps(schema)), token, known)
    operations = [
        (path, method, said) for path, methods in calls.schema["paths"].items() for method, said in methods.items()
    ]
    answered = 0
    try:
        for path, method, said in operations:
            right, seen, chance = 0, set(), random.Random(f"{SEED} {method} {path}")
            puts = [None] * CASES[size] + (calls.sweep(said) if size == "full" else [])
            for number, put in enumerate(puts):
                sent = calls.send(path, method, said, chance, put)
                seen.add(sent.answer.status_code)
                if wrong := calls.fault(sent, said):
                    result.fail(f"{method.upper()} {path}, call {number} of seed {SEED}: {wrong}; {sent.what}")
                else:
                    right += 1
            answered += min(seen) < 300
            result.add(f"{method.upper()} {path}", len(puts), right, ", ".join(map(str, sorted(seen))))
    finally:
        api_frame.close_service()
    if size == "full":  # else nobody would see that the trial's calls are all refused, and so try little
        result.add("operations of which at least one call was answered", len(operations), answered)
