"""The proxy of deploy/nginx, started for real before the real server: what TLS it speaks, whom it redirects, and
whether two readings of one request can be played against each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.certificates import self_signed

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "deploy/nginx/safelight.conf").read_text(encoding="utf-8")
PAGES, EXCHANGE = "safelight.force.example", "exchange.force.example"
HIDDEN = "sign-out/"
"""The page that a request inside a request would ask for; nothing else in here asks for it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nothing answers on port {port}")


@dataclass
class Chain:
    """nginx before `safelight serve`."""

    http: int
    https: int
    folder: Path
    log: Path

    def send(self, words: bytes, host: str = PAGES, seconds: float = 20) -> bytes:
        """What comes back for these bytes over TLS, until the other side closes or says nothing for so long."""
        known = self.folder / f"{'pages' if host == PAGES else 'exchange'}.pem"
        context = ssl.create_default_context(cafile=str(known))
        plain = socket.create_connection(("127.0.0.1", self.https), timeout=20)
        with context.wrap_socket(plain, server_hostname=host) as line:
            line.sendall(words)
            line.settimeout(seconds)
            return read(line)

    def routes(self) -> list[str]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line["route"] for line in lines if line["logger"] == "safelight.requests"]


def read(line: socket.socket) -> bytes:
    found = b""
    try:
        while part := line.recv(65536):
            found += part
    except (TimeoutError, ConnectionResetError):
        pass
    return found


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("proxy")
    http, https, pages = free_port(), free_port(), free_port()
    self_signed(folder, "pages", PAGES)
    self_signed(folder, "exchange", EXCHANGE)
    site = EXAMPLE.replace("/etc/ssl/safelight/", f"{folder}/").replace("127.0.0.1:8000", f"127.0.0.1:{pages}")
    site = re.sub(r"listen 80\b", f"listen 127.0.0.1:{http}", site)
    site = re.sub(r"listen 443\b", f"listen 127.0.0.1:{https}", site)
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ {places}\n{site} }}\n"
    )
    environment = {
        "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/root"), "SAFELIGHT_DATA": str(folder / "data"),
        "SAFELIGHT_SECRET_KEY": "kW3xQ9_ZbM1-tY7uLr5nCg0aHs8dJf2eVpXo6iTq4wBz", "SAFELIGHT_BEHIND_PROXY": "1",
        "SAFELIGHT_ALLOWED_HOSTS": PAGES,
    }  # fmt: skip
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert nginx, "nginx is missing: scripts/system-packages.sh test"
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "safelight.cli.main", "serve", "--port", str(pages), "--workers", "1"]
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        proxy = subprocess.Popen([nginx, "-p", folder, "-c", folder / "nginx.conf", "-g", "daemon off;"])
    try:
        answers(pages)
        answers(https)
        yield Chain(http, https, folder, folder / "log")
    finally:
        for process in (proxy, server):
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def plain_get(port: int, host: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(f"GET /cases/?q=x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        line.settimeout(20)
        return read(line)


def get(host: str, path: str = "/cases/") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


def shaken(chain: Chain, host: str, context: ssl.SSLContext) -> tuple[str, str]:
    """(version, cipher) that both sides agreed on. Raises ssl.SSLError where they do not."""
    plain = socket.create_connection(("127.0.0.1", chain.https), timeout=20)
    with plain, context.wrap_socket(plain, server_hostname=host) as line:
        return str(line.version()), line.cipher()[0]  # type: ignore[index]


def lax() -> ssl.SSLContext:
    """A caller that takes anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("host", [PAGES, EXCHANGE])
def test_tls_1_2_and_1_3_are_spoken_and_nothing_older(chain: Chain, host: str) -> None:
    """A caller that can be talked down to TLS 1.0 is read by whoever stands between."""
    for version, wanted in (("TLSv1", ""), ("TLSv1_1", ""), ("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")):
        context = lax()
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        if wanted:
            assert shaken(chain, host, context)[0] == wanted
        else:
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                shaken(chain, host, context)


def test_only_ciphers_with_forward_secrecy_and_authentication(chain: Chain) -> None:
    """What is recorded today would be read on the day on which the key is stolen."""
    context = lax()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    taken = set()
    for cipher in {one["name"] for one in context.get_ciphers() if one["protocol"] != "TLSv1.3"}:
        one = lax()
        one.maximum_version = ssl.TLSVersion.TLSv1_2
        one.set_ciphers(f"{cipher}:@SECLEVEL=0")
        try:
            taken.add(shaken(chain, PAGES, one)[1])
        except (ssl.SSLError, ConnectionResetError):
            continue
    assert taken, "not one was agreed on"
    assert all(
        re.fullmatch(r"ECDHE-ECDSA-(AES128-GCM-SHA256|AES256-GCM-SHA384|CHACHA20-POLY1305)", one) for one in taken
    )


def test_people_are_led_to_https_and_programs_are_not(chain: Chain) -> None:
    """A platform's key sent in the clear would work, by a redirect, for years: and be read by everybody on the way."""
    answer = plain_get(chain.http, PAGES)
    assert answer.startswith(b"HTTP/1.1 308") and f"Location: https://{PAGES}/cases/?q=x".encode() in answer
    assert plain_get(chain.http, EXCHANGE) == b""
    assert plain_get(chain.http, "elsewhere.example") == b""
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        shaken(chain, "elsewhere.example", lax())
    answer = chain.send(get(PAGES))
    assert answer.startswith(b"HTTP/1.1 302") and b"Strict-Transport-Security: max-age=31536000" in answer
    assert b"nginx/" not in answer
    for path in ("/metrics", "/readyz", "/healthz"):
        assert chain.send(get(PAGES, path)).startswith(b"HTTP/1.1 404"), path
    # The exchange's own server is away here: no page, and no redirect, stands in for it.
    assert chain.send(get(EXCHANGE), EXCHANGE).startswith(b"HTTP/1.1 502")


INSIDE = f"GET /{HIDDEN} HTTP/1.1\r\nHost: {PAGES}\r\nX: "
PIECES = f"{len(INSIDE):x}\r\n{INSIDE}\r\n0\r\n\r\n"
LENGTH = f"Content-Length: {len(INSIDE) + 5}\r\n"
AFTER = f"\r\n0\r\n\r\n{INSIDE}"
TWO_READINGS = {
    "a length and pieces": f"{LENGTH}Transfer-Encoding: chunked\r\n{AFTER}",
    "pieces and a short length": f"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{PIECES}",
    "two lengths": f"Content-Length: 0\r\nContent-Length: {len(INSIDE)}\r\n\r\n{INSIDE}",
    "two lengths in one": f"Content-Length: 0, {len(INSIDE)}\r\n\r\n{INSIDE}",
    "a length with a sign": f"Content-Length: +{len(INSIDE)}\r\n\r\n{INSIDE}",
    "a length in hexadecimal": f"Content-Length: 0x0\r\n\r\n{INSIDE}",
    "pieces in other words": f"{LENGTH}Transfer-Encoding: xchunked\r\n{AFTER}",
    "pieces before a colon": f"{LENGTH}Transfer-Encoding : chunked\r\n{AFTER}",
    "pieces after a tab": f"{LENGTH}Transfer-Encoding:\tchunked\r\n{AFTER}",
    "pieces after a line alone": f"X: y\nTransfer-Encoding: chunked\r\n{LENGTH}{AFTER}",
    "pieces folded": f"{LENGTH}X: y\r\n Transfer-Encoding: chunked\r\n{AFTER}",
    "pieces twice": f"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n{AFTER}",
    "pieces and identity": f"Transfer-Encoding: identity, chunked\r\nContent-Length: 5\r\n{AFTER}",
    "an underscore": f"Content_Length: 0\r\nContent-Length: {len(INSIDE)}\r\n\r\n{INSIDE}",
    "a piece with a comment": f"Transfer-Encoding: chunked\r\n\r\n0;a\n\r\n\r\n{INSIDE}",
    "an upgrade": f"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: {len(INSIDE)}\r\n\r\n{INSIDE}",
}


@pytest.mark.parametrize("way", TWO_READINGS)
def test_no_request_travels_inside_another(chain: Chain, way: str) -> None:
    """The proxy reads one request and the server two: the second is answered to whoever comes next, as them."""
    before = chain.routes()
    first = f"POST /sign-in/ HTTP/1.1\r\nHost: {PAGES}\r\nConnection: close\r\n{TWO_READINGS[way]}"
    chain.send(first.encode(), seconds=1.5)
    # The next one on the line to the server would get the answer that was asked for inside.
    assert chain.send(get(PAGES, "/standards/")).startswith(b"HTTP/1.1 302")
    asked = chain.routes()[len(before) :]
    assert HIDDEN not in asked and asked[-1] == "standards/" and len(asked) <= 2, asked


def test_a_request_that_is_asked_for_openly_is_seen(chain: Chain) -> None:
    """The test above would find nothing because it looks in the wrong place."""
    chain.send(get(PAGES, f"/{HIDDEN}"))
    assert chain.routes()[-1] == HIDDEN


def test_the_caller_s_word_about_where_it_comes_from_is_not_believed(chain: Chain) -> None:
    """A forged X-Forwarded-For would reset the counts of wrong passwords; a forged Proto the redirect to https."""
    words = get(PAGES).replace(b"\r\n\r\n", b"\r\nX-Forwarded-Proto: http\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")
    assert chain.send(words).startswith(b"HTTP/1.1 302") and b"Location: /sign-in/" in chain.send(words)
