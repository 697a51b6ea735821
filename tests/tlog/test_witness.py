"""A witness cosigns what continues the log, and nothing else: whoever rewrites the log cannot rewrite what it saw."""

from __future__ import annotations

import base64
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from safelight.tlog.errors import Refused, WitnessError
from safelight.tlog.merkle import consistency_proof, leaf_hash, root_of
from safelight.tlog.notes import ED25519, Checkpoint, Note, Signer, read_all
from safelight.tlog.serving import server
from safelight.tlog.witness import Witness

LOG = Signer("log", ED25519, bytes(32))
LEAVES = [leaf_hash(bytes([n])) for n in range(40)]
FORGED = [*LEAVES[:5], leaf_hash(b"forged"), *LEAVES[6:]]


def request(old: int, size: int, leaves: list[bytes] = LEAVES, proof: list[bytes] | None = None, signer=LOG) -> str:
    proof = consistency_proof(leaves, old, size) if proof is None and 0 < old < size else proof or []
    text = Checkpoint("log", size, root_of(leaves[:size])).text
    lines = "".join(base64.b64encode(one).decode() + "\n" for one in proof)
    return f"old {old}\n{lines}\n{text.decode()}\n{signer.sign(text)}"


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    made = Witness(tmp_path, "witness")
    made.add_log(LOG.verifier)
    return made


def status(witness: Witness, body: str) -> int:
    try:
        witness.add_checkpoint(body)
    except Refused as refused:
        return refused.status
    return 200


def test_a_log_that_only_grows_is_cosigned_every_time(witness):
    """Otherwise the alarm would ring on ordinary days, and be switched off."""
    old = 0
    for size in (1, 2, 7, 8, 21, 40):
        body = request(old, size)
        line = witness.add_checkpoint(body)
        assert Note.read(body.partition("\n\n")[2] + line).verified(witness.signer.verifier)
        assert witness.latest("log").checkpoint.size == size
        old = size
    again = Witness(witness.folder, "witness")
    assert again.signer.verifier == witness.signer.verifier
    assert status(again, request(40, 40)) == 200, "the same again is no fault"
    assert [note.checkpoint.size for note in read_all(witness.book("log").read_text())] == [1, 2, 7, 8, 21, 40]


def test_a_rewritten_a_cut_and_a_forked_log_are_refused_and_kept_as_evidence(witness):
    """An entry rewritten with every hash recomputed would otherwise pass for ever."""
    assert status(witness, request(0, 20)) == 200
    assert status(witness, request(20, 30, FORGED)) == 422
    assert status(witness, request(20, 30, FORGED, consistency_proof(LEAVES, 20, 30))) == 422
    assert status(witness, request(20, 20, FORGED)) == 409
    assert status(witness, request(10, 10)) == 409, "an older copy of the database"
    assert witness.latest("log").checkpoint.size == 20
    alerts = (witness.folder / "alerts").read_text()
    assert alerts.count("# refused:") == 4
    assert "another root over the same 20" in alerts


def test_the_answers_are_those_of_the_protocol(witness):
    assert status(witness, request(0, 9)) == 200
    assert status(witness, request(5, 12)) == 409
    assert status(witness, request(9, 12, proof=[bytes(32)])) == 422
    assert status(witness, request(12, 9)) == 400
    assert status(witness, request(9, 12, signer=Signer("log", ED25519, bytes([7] * 32)))) == 403
    assert status(witness, request(9, 12).replace("\nlog\n", "\nother\n")) == 404
    for bad in ("", "old\n\n", "old 9\n\nx", "old 09\n\n" + request(9, 9).partition("\n\n")[2],
                "old 9\n" + "AAAA\n" * 64 + "\n" + request(9, 9).partition("\n\n")[2],
                "old 9\nAAAA\n\n" + request(9, 9).partition("\n\n")[2]):  # fmt: skip
        assert status(witness, bad) == 400, bad


def test_keys_are_not_exchanged_behind_its_back(witness, tmp_path):
    with pytest.raises(WitnessError, match="another key"):
        witness.add_log(Signer("log", ED25519, bytes([7] * 32)).verifier)
    with pytest.raises(WitnessError, match="not of a log"):
        witness.add_log(witness.signer.verifier)
    witness.book("log").write_text("=\nrubbish")
    with pytest.raises(WitnessError):
        witness.latest("log")


class TestOverHttp:
    @pytest.fixture
    def url(self, witness: Witness) -> Iterator[str]:
        with server(witness, "127.0.0.1", 0) as listening:
            thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{listening.server_port}"
            listening.shutdown()
            thread.join()

    def ask(self, url: str, body: bytes | None = None) -> tuple[int, str, str]:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=10) as answer:
                return answer.status, answer.read().decode(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers["Content-Type"]

    def test_it_answers_as_other_logs_expect(self, url, witness):
        """A second witness from elsewhere, or our witness for another log, must understand each other."""
        log = sha256(b"log").hexdigest()
        assert self.ask(f"{url}/book/{log}")[0] == 404
        assert self.ask(f"{url}/add-checkpoint", request(0, 4).encode())[0] == 200
        assert self.ask(f"{url}/checkpoint/{log}")[1] == self.ask(f"{url}/book/{log}")[1][2:-2], "one note so far"
        code, line, _ = self.ask(f"{url}/add-checkpoint", request(4, 9).encode())
        assert (code, line[:2]) == (200, "— ")
        assert self.ask(f"{url}/add-checkpoint", request(4, 12).encode()) == (409, "9\n", "text/x.tlog.size")
        assert Note.read(self.ask(f"{url}/checkpoint/{log}")[1]).verified(witness.signer.verifier)
        assert len(read_all(self.ask(f"{url}/book/{log}")[1])) == 2
        assert self.ask(f"{url}/key")[1].strip() == str(witness.signer.verifier)
        assert self.ask(f"{url}/add-checkpoint", b"\xff\xfe")[0] == 400
        assert self.ask(f"{url}/add-checkpoint", bytes(70_000))[0] == 413
        assert self.ask(f"{url}/../key", b"x")[0] == 404
        with pytest.raises(WitnessError, match="Choose another --port"):
            server(witness, "127.0.0.1", int(url.rpartition(":")[2]))
