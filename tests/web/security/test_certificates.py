"""Servers that Safelight talks to must be who they say: who can answer in their place reads letters, and signs in."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.test import Client
from tests.support.certificates import self_signed

from safelight.web import mail as mail_settings
from safelight.web import service

pytestmark = pytest.mark.django_db


def tls_of_nobody(folder: Path) -> ssl.SSLContext:
    """What somebody between us and ``localhost`` has: a certificate for the name that no authority gave."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(self_signed(folder, "own", "localhost"), folder / "own.key")
    return made


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def knock(server: Controller) -> None:
    """The controller knocks at its own door once; checking the certificate it would find it as wrong as we do."""
    line: socket.socket = socket.create_connection(("localhost", server.port), timeout=10)
    if server.ssl_context:
        blind = ssl.create_default_context()
        blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
        line = blind.wrap_socket(line)
    with line:
        line.recv(100)


class Postbox:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.arrived.append(envelope)
        return "250 OK"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_no_letter_goes_to_a_mail_server_that_is_not_known(security, tmp_path, settings, monkeypatch):
    """The names of colleagues and references of cases would be read on the way, for years."""
    box, context = Postbox(), tls_of_nobody(tmp_path)
    how = {"tls_context": context, "require_starttls": True} if security == "starttls" else {"ssl_context": context}
    monkeypatch.setattr(Controller, "_trigger_server", knock)
    server = Controller(box, hostname="localhost", port=free_port(), **how)
    server.start()
    try:
        for name, value in {
            "HOST": "localhost", "PORT": str(server.port), "SECURITY": security, "FROM": "a@force.example",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"SAFELIGHT_EMAIL_{name}", value)
        monkeypatch.setenv("SAFELIGHT_SITE_URL", "https://safelight.force.example")
        for name, value in mail_settings.settings_of_mail(plain_http=False).items():
            setattr(settings, name, value)
        with pytest.raises(ssl.SSLCertVerificationError), mail.get_connection(settings.EMAIL_BACKEND) as line:
            mail.EmailMessage("Synthetic", "Synthetic", to=["b@force.example"], connection=line).send()
    finally:
        server.stop()
    assert box.arrived == []


@pytest.fixture
def false_service(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """(address, requests that got through) of a server that answers in the place of the force's sign-in service."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    class Quiet(HTTPServer):
        def handle_error(self, *args: object) -> None:
            """A caller that hangs up is what is wanted."""

    server = Quiet(("localhost", 0), Answers)
    server.socket = tls_of_nobody(tmp_path).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_address[1]}/o", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_no_sign_in_service_is_asked_that_is_not_known(false_service, settings, monkeypatch):
    """Another server would say who somebody is, and sign itself in as the chief officer."""
    address, asked = false_service
    for name, value in {"ISSUER": address, "CLIENT_ID": "safelight", "CLIENT_SECRET": "synthetic"}.items():
        monkeypatch.setenv(f"SAFELIGHT_OIDC_{name}", value)
    for name, value in service.settings_of_service(plain_http=False).items():
        setattr(settings, name, value)
    answer = Client().post("/sign-in/service/force/")
    assert answer.status_code == 403 and b"did not work" in answer.content
    assert asked == []
