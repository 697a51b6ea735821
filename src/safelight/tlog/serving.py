"""The witness over HTTP: ``POST /add-checkpoint`` of C2SP tlog-witness, and two addresses to read from.

``GET /checkpoint/LOG`` is the last cosigned checkpoint of a log, ``GET /book/LOG`` all of them, where LOG is the
SHA-256 of the log's origin as hex. Nobody signs in: a checkpoint holds nothing but counts and hashes, and only what the
log's own key has signed is taken.
"""

from __future__ import annotations

import logging
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from safelight.tlog.errors import Refused, WitnessError
from safelight.tlog.witness import Witness

logger = logging.getLogger(__name__)
MOST_BYTES = 64 << 10
_READ = re.compile(r"/(checkpoint|book)/([0-9a-f]{64})")


class _Handler(BaseHTTPRequestHandler):
    witness: Witness
    protocol_version = "HTTP/1.1"
    timeout = 20
    server_version, sys_version = "Safelight-witness", ""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            self._answer(404, "There is nothing at this address.\n")
        elif not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._answer(413, "The request needs a length of at most 64 KiB.\n")
        else:
            try:
                line = self.witness.add_checkpoint(self.rfile.read(int(length)).decode())
            except UnicodeDecodeError:
                self._answer(400, "The request is not UTF-8.\n")
            except Refused as refused:
                if refused.status == 409:
                    self._answer(409, f"{refused.size}\n", kind="text/x.tlog.size")
                else:
                    self._answer(refused.status, f"{refused}\n")
            except (OSError, WitnessError) as error:
                logger.error("The witness cannot keep its book: %s", error)
                self._answer(503, "The witness cannot keep its book.\n")
            else:
                self._answer(200, line)

    def do_GET(self) -> None:
        found = _READ.fullmatch(self.path)
        path = self.witness.folder / f"{found[2]}.notes" if found else None
        if self.path == "/key":
            self._answer(200, f"{self.witness.signer.verifier}\n")
        elif found is None or path is None or not path.exists():
            self._answer(404, "There is nothing at this address.\n")
        else:
            text = path.read_text(encoding="utf-8")
            self._answer(
                200, text if found[1] == "book" else text.removesuffix("=\n").rpartition("\n=\n")[2].removeprefix("=\n")
            )

    def _answer(self, status: int, text: str, *, kind: str = "text/plain; charset=utf-8") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        logger.info(format, *arguments)


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server that answers for ``witness`` once ``serve_forever`` is called.

    Raises:
        WitnessError: the address cannot be listened on.
    """
    handler = type("Handler", (_Handler,), {"witness": witness})
    try:
        return ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise WitnessError(
            f"Port {port} of {host} cannot be used: {error.strerror}.", fix="Choose another --port."
        ) from error
