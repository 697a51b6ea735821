"""Notes, keys and cosignatures: if these fail, other people's witnesses cannot read ours, or a forged one passes."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.tlog.errors import WitnessError
from safelight.tlog.notes import COSIGNATURE, ED25519, Checkpoint, Note, Signer, VerifierKey, read_all

LOG = Signer("log.example", ED25519, bytes(32))
WITNESS = Signer("witness.example", COSIGNATURE, bytes([1] * 32))
CHECKPOINT = Checkpoint("log.example", 17, bytes(range(32)), ("sealed 2026-11-30T12:00:00+00:00",))


def note() -> Note:
    text = CHECKPOINT.text.decode()
    return Note.read(f"{text}\n{LOG.sign(CHECKPOINT.text)}{WITNESS.sign(CHECKPOINT.text, at=1_700_000_000)}")


def test_the_example_of_the_specification_can_be_read():
    """C2SP tlog-cosignature gives this note: a witness of anybody's must be able to talk to us."""
    text = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+"
        "zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
        "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    read = Note.read(text)
    assert (read.checkpoint.origin, read.checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert [name for name, _ in read.signatures] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert [len(raw) for _, raw in read.signatures] == [68, 76]
    assert read.checkpoint.text.decode() == text.partition("\n\n")[0] + "\n"


def test_log_and_witness_are_both_verified_and_nobody_else():
    read = note()
    assert read.checkpoint == CHECKPOINT
    assert read.verified(LOG.verifier) == 0
    assert read.verified(WITNESS.verifier) == 1_700_000_000
    for stranger in (
        Signer("log.example", ED25519, bytes([9] * 32)),
        Signer("other.example", ED25519, bytes(32)),
        Signer("witness.example", ED25519, bytes([1] * 32)),
    ):
        assert read.verified(stranger.verifier) is None


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_changed_bit_of_a_note_is_accepted(place, bit):
    """One changed digit of the size, the root or the time would otherwise stand as cosigned."""
    text = CHECKPOINT.text + b"\n" + WITNESS.sign(CHECKPOINT.text, at=1_700_000_000).encode()
    changed = bytearray(text)
    changed[place % len(text)] ^= 1 << bit
    try:
        read = Note.read(changed.decode())
    except (WitnessError, UnicodeDecodeError):
        return
    same = read.checkpoint == CHECKPOINT and read.signatures == Note.read(text.decode()).signatures
    assert same or read.verified(WITNESS.verifier) is None


def test_a_verifier_key_survives_being_copied_and_a_damaged_one_is_refused():
    for signer in (LOG, WITNESS):
        assert VerifierKey.read(f" {signer.verifier}\n") == signer.verifier
    good = str(LOG.verifier)
    short = base64.b64encode(b"\x01abc").decode()
    for bad in (
        "",
        "a+b",
        good[:-4] + "AAA=",
        good.replace("log.", "lag."),
        f"x+00000000+{short}",
        f"x+00000000+{'!' * 8}",
    ):
        with pytest.raises(WitnessError):
            VerifierKey.read(bad)


@pytest.mark.parametrize(
    "text",
    [
        "", "log\n17\n\n", "log\n017\nAAAA\n\n", f"log\n1\n{'A' * 43}=", f"log\n-1\n{'A' * 43}=\n\n",
        f"log\n٣\n{'A' * 43}=\n\n", f"log\n1\n{'A' * 43}=\n\nsigned by me\n", f"log\n1\n{'A' * 43}=\n\n— me !!\n",
        "log\n1\nAAAA\n\n", f"log\n01\n{'A' * 43}=\n\n", f"log\n{'9' * 30}\n{'A' * 43}=\n\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused_in_a_sentence(text):
    with pytest.raises(WitnessError):
        Note.read(text)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path):
    """A key that anybody can read signs for anybody."""
    path = tmp_path / "key"
    one, again = (Signer.kept_at(path, "log", ED25519) for _ in range(2))
    assert one.verifier == again.verifier
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("nonsense")
    with pytest.raises(WitnessError, match="damaged"):
        Signer.kept_at(path, "log", ED25519)
    with pytest.raises(WitnessError, match="cannot be made"):
        Signer.kept_at(tmp_path / "none" / "key", "log", ED25519)
    with pytest.raises(WitnessError, match="no blanks"):
        Signer("two words", ED25519, bytes(32))


def test_a_book_is_read_whole():
    text = CHECKPOINT.text.decode() + "\n" + LOG.sign(CHECKPOINT.text)
    assert len(read_all(f"=\n{text}=\n{text}=\n")) == 2
    assert read_all("") == []
