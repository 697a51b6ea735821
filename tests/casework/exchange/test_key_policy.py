"""What a platform's key opens, call by call, against the policy file."""

from __future__ import annotations

from typing import Any

import pytest
from tests.casework.exchange.makers import make_key
from tests.casework.exchange.test_api import MD5, PDQ, Caller, entry_of, exchange
from tests.exchange.test_service import picture

from safelight.casework.base.permissions import permissions
from safelight.casework.exchange import services
from safelight.casework.exchange.api import api
from safelight.casework.exchange.publishing import publish_all
from safelight.exchange.keys import SCOPES

pytestmark = pytest.mark.django_db
__all__ = ["exchange"]  # a fixture
NOBODY = (401, 403)


def calls() -> set[str]:
    """ "METHOD /path" of everything that the server describes of itself."""
    found = api.get_openapi_schema(path_prefix="/")["paths"]
    return {f"{method.upper()} {path}" for path, methods in found.items() for method in methods}


def test_every_call_stands_in_the_policy_file_and_no_other() -> None:
    """A call that somebody adds would be open to every key, and in no list."""
    said = permissions().platform_keys
    assert set(said) == calls()
    assert {scope for call in said.values() for scope in call.scopes} <= set(SCOPES)


def send(caller: Caller, call: str, entry: int) -> int:
    """The status of one call, made as a program makes it."""
    method, path = call.split(" ")
    path = path.replace("{name}", "KNOWN").replace("{content}", str(entry)).replace("{reference}", "TN-000001")
    bodies: dict[str, Any] = {
        "POST /m/lookup": {"signal_type": "pdq", "signal": PDQ},
        "POST /m/lookup_batch": {"queries": [{"signal_type": "md5", "signal": MD5}]},
        "POST /m/compare": {"md5": [MD5, MD5]}, "POST /c/banks": {"name": "MADE"},
        "PUT /c/bank/{name}": {"enabled": True}, "POST /c/bank/{name}/signal": {"md5": "0c" * 16},
        "POST /reports": {"signal_type": "md5", "signal": MD5, "detected_at": "2026-11-30T10:00:00Z"},
        "POST /notices/{reference}/removed": {},
    }  # fmt: skip
    if call in ("POST /h/hash", "POST /c/bank/{name}/content"):
        return int(caller.photo(path, picture()).status_code)
    if method == "GET":
        asked = {"signal_type": "md5", "signal": MD5} if "lookup" in path else {}
        return int(caller.get(path, **asked).status_code)
    send_it = getattr(caller.client, method.lower())
    answer = send_it(path, bodies.get(call, {}), content_type="application/json", headers=caller.headers)
    return int(answer.status_code)


def test_each_call_opens_to_the_declared_scopes_alone(exchange: Any) -> None:
    """A key for look-ups would withdraw what the force has entered; or one that was revoked would go on."""
    boss, bank, platform, _ = exchange
    entry, keys = entry_of(bank), {}
    for scope in SCOPES:
        keys[scope] = Caller(make_key(boss, platform, scopes=[scope])[1])
    every = Caller(make_key(boss, platform)[1])
    gone, token = make_key(boss, platform)
    services.revoke_key(boss, gone, reason="Synthetic.")
    stopped, stopped_token = make_key(boss, platform)
    services.suspend_key(boss, stopped, note="Synthetic.")
    publish_all()
    from safelight.casework.exchange.api_frame import service

    service().refresh()
    wrong = []
    for call, said in permissions().platform_keys.items():
        for name, caller in (("no key", Caller("")), ("a made-up key", Caller("slx_x_y")), ("revoked", Caller(token))):
            if (status := send(caller, call, entry)) != 401:
                wrong.append(f"{call}, {name}: {status}")
        if (status := send(Caller(stopped_token), call, entry)) != 403:
            wrong.append(f"{call}, suspended: {status}")
        for scope, caller in keys.items():
            status, may = send(caller, call, entry), set(said.scopes) <= {scope}
            if may == (status in NOBODY):
                wrong.append(f"{call}, only {scope}: {status}, declared {'yes' if may else 'no'}")
        if (status := send(every, call, entry)) in NOBODY or status >= 500:
            wrong.append(f"{call}, every scope: {status}")
    assert not wrong, "\n".join(wrong)
