"""Ways of writing code that no review should have to look for: found by reading all of it."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from tests.support import primitives

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src" / "safelight"
BARRED_CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
BARRED_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "telnetlib", "ftplib", "random"}


@cache
def trees() -> tuple[tuple[str, ast.AST], ...]:
    return tuple(
        (str(path.relative_to(SOURCE)), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(SOURCE.rglob("*.py"))
    )


def imported(tree: ast.AST) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_no_text_is_ever_run_as_code():
    """One expression from a file or a form would be the whole machine."""
    found = [
        (name, node.lineno)
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BARRED_CALLS
    ]
    assert found == []


def test_no_unsafe_deserialiser_is_imported():
    """A pickle in a manifest or a job is a program."""
    found = [(name, one) for name, tree in trees() for one in imported(tree) & (BARRED_MODULES - {"random"})]
    assert found == []


def test_no_secret_comes_from_a_guessable_generator():
    """A key, code or nonce from `random` can be worked out from a few others."""
    here = ("web/", "casework/accounts", "casework/exchange", "exchange/", "casework/base", "casework/ledger")
    found = [name for name, tree in trees() if name.startswith(here) and "random" in imported(tree)]
    assert found == []


def test_no_command_goes_through_a_shell():
    """A file name with a semicolon would be a command."""
    found = []
    for name, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if any(word.arg == "shell" and not isinstance(word.value, ast.Constant) for word in node.keywords) or any(
                word.arg == "shell" and isinstance(word.value, ast.Constant) and word.value.value
                for word in node.keywords
            ):
                found.append((name, node.lineno))
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("system", "popen") and name != "cli":
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id == "os":
                    found.append((name, node.lineno))
    assert found == []


def test_no_weak_hash_protects_anything():
    """MD5 and SHA-1 name files that others named by them; each use says that it is for no protection."""
    found = [
        (name, node.lineno)
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("md5", "sha1")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "hashlib"
        and not any(word.arg == "usedforsecurity" for word in node.keywords)
    ]
    assert found == []


def test_xml_of_others_is_read_by_the_reader_that_knows_bombs():
    """An entity of ten lines fills the memory, or reads a file of ours."""
    plain = {"xml.etree.ElementTree", "xml.dom.minidom", "xml.sax", "lxml", "lxml.etree"}
    found = {name for name, tree in trees() if imported(tree) & plain}
    reads = {
        name
        for name, tree in trees()
        if name in found
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("parse", "iterparse", "fromstring", "XMLParser")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("ElementTree", "ET", "etree", "minidom", "sax")
    }
    assert reads == set(), "use defusedxml"


def test_templates_escape_everything():
    """`| safe` on what somebody typed is their script on a colleague's page."""
    found = []
    for path in [*SOURCE.rglob("*.html")]:
        text = path.read_text(encoding="utf-8")
        if re.search(r"\|\s*safe\b|autoescape\s+false|\bMarkup\(", text):
            found.append(str(path.relative_to(SOURCE)))
    # SVG that the program draws; its texts are escaped where it is drawn (casework/base/charts.py).
    drawn = {
        "web/templates/mfa/totp/activate_form.html",
        "casework/plans/templates/plans/detail.html",
        "casework/inspection/templates/inspection/_drawing.html",
    }
    assert set(found) == drawn


def test_scripts_of_ours_make_no_markup_from_text():
    """innerHTML and its kind turn a name into a script in the browser."""
    for path in (SOURCE / "web/static/safelight").rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        barred = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
        stores = r"localStorage|sessionStorage|indexedDB|postMessage|document\.cookie"
        # One word to the other tabs of this site, and to nobody else.
        said = text.replace("tabs.postMessage(SIGNED_OUT)", "")
        assert not re.search(f"{barred}|{stores}", said), path.name


def test_nothing_comes_from_another_host():
    """A toolkit from a content network can be changed by whoever owns that network."""
    for path in [*SOURCE.rglob("*.html")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""(src|href)=["'](https?:)?//(?!\{)""", text), path.name


def test_no_cipher_is_built_by_hand():
    """A mode without authentication, or a padding that tells, is chosen by whoever writes `Cipher(...)`."""
    barred = (
        "cryptography.hazmat.primitives.ciphers",
        "Crypto",
        "Cryptodome",
        "cryptography.hazmat.primitives.padding",
    )
    allowed = ("cryptography.hazmat.primitives.ciphers.aead",)
    found = [
        (name, one)
        for name, tree in trees()
        for one in imported(tree)
        # Encrypted evidence is opened with the cipher that its maker chose; nothing of ours is protected by it.
        if not name.startswith("triage/evidence/")
        and one.startswith(barred)
        and one not in allowed
        and not one.startswith("cryptography.hazmat.primitives.asymmetric")
    ]
    assert found == []


def test_secrets_are_compared_in_constant_time():
    """The time that a comparison takes tells how much of a guess was right."""
    wanted = {
        "web/force_sign_in.py": "compare_digest", "web/status.py": "compare_digest",
        "casework/accounts/second_factor.py": "PBKDF2PasswordHasher().verify",
    }  # fmt: skip
    for name, call in wanted.items():
        assert call in (SOURCE / name).read_text(encoding="utf-8"), name


def test_every_primitive_stands_in_the_inventory_and_no_other():
    """Nobody would know what to change on the day on which a cipher falls."""
    found, rows = primitives.in_the_source(), primitives.inventory()
    missing = sorted(
        f"{file}: {name}"
        for name, files in found.items()
        for file in files
        if not any(row.covers(name, file) for row in rows)
    )
    assert missing == [], "add them to docs/cryptography.md"
    idle = [
        f"{name} of {', '.join(row.files)}"
        for row in rows
        for name in row.primitives
        if not any(row.covers(name, file) for file in found.get(name, ()))
    ]
    idle += [
        pattern
        for row in rows
        for pattern in row.files
        if not any(fnmatch(file, pattern) for name in row.primitives for file in found.get(name, ()))
    ]
    assert idle == [], "nothing uses these: take them out of docs/cryptography.md"
    assert all(len(row.purpose) > 20 for row in rows)


def test_a_primitive_is_found_however_it_is_brought_in():
    """The search would be blind to the one spelling that somebody uses next year."""
    for text, name in (
        ("import hashlib\nhashlib.md5(b'')", "md5"), ("from hashlib import sha1", "sha1"),
        ("import hashlib\nhashlib.new('sha512')", "sha512"), ("import hashlib\nhashlib.new(kind)", "hashlib.new"),
        ("from cryptography.hazmat.primitives.ciphers.aead import AESGCM", "AESGCM"), ("import nacl", "nacl"),
        ("import hashlib\nhashlib.file_digest(f, 'md5')", "md5"), ("from django.core import signing", "signing"),
        ("from django.utils.crypto import salted_hmac", "salted_hmac"), ("import hmac", "hmac"),
    ):  # fmt: skip
        assert name in primitives.primitives_of(ast.parse(text)), text
    assert primitives.primitives_of(ast.parse("from cryptography.exceptions import InvalidTag")) == set()
