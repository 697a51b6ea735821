"""Cryptography in the source, found by reading all of it: which file uses which primitive."""

from __future__ import annotations

import ast
import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "safelight"
PAGE = ROOT / "docs/cryptography.md"
#: Packages whose every name is a primitive or a protocol.
PACKAGES = (
    "argon2", "blake3", "cryptography", "hmac", "jwt", "nacl", "pyrage", "secrets", "securesystemslib", "ssl",
    "django.contrib.auth.hashers", "django.core.signing", "django.utils.crypto",
    "allauth.socialaccount.internal.jwtkit",
    "Crypto", "Cryptodome", "OpenSSL", "pgpy", "gnupg", "tuf", "fido2", "rfc3161ng", "rfc3161_client", "asn1crypto",
)  # fmt: skip
#: What comes along with a primitive and is none.
BESIDE = re.compile(
    r"oid|exceptions?|Invalid\w+|serialization|load_pem\w*|\w*Error|Encoding|PublicFormat|PrivateFormat|x509"
)


def primitives_of(tree: ast.AST) -> set[str]:
    """ "sha256", "hmac", "AESGCM", ... as the file names them."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in PACKAGES and alias.name != "hashlib":
                    found.add(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "hashlib" or any(
                node.module == one or node.module.startswith(f"{one}.") for one in PACKAGES
            ):
                found |= {alias.name for alias in node.names}
            elif any(f"{node.module}.{alias.name}" in PACKAGES for alias in node.names):
                found |= {alias.name for alias in node.names if f"{node.module}.{alias.name}" in PACKAGES}
        elif (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "hashlib"
            and node.attr not in ("new", "file_digest", "algorithms_available")
        ):  # fmt: skip
            found.add(node.attr)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("new", "file_digest"):
            words = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            owner = getattr(node.func, "value", None)
            if isinstance(owner, ast.Name) and owner.id == "hashlib":
                found |= set(words) or {"hashlib.new"}
    return {name for name in found if not BESIDE.fullmatch(name)}


def in_the_source() -> dict[str, set[str]]:
    """Primitive to the files that use it, relative to the package."""
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for name in primitives_of(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(name, set()).add(str(path.relative_to(SOURCE)))
    return found


@dataclass(frozen=True)
class Row:
    """One line of the inventory: primitives, files (patterns), what for."""

    primitives: tuple[str, ...]
    files: tuple[str, ...]
    purpose: str

    def covers(self, primitive: str, file: str) -> bool:
        return primitive in self.primitives and any(fnmatch.fnmatch(file, pattern) for pattern in self.files)


def inventory() -> list[Row]:
    """The table of docs/cryptography.md whose first column is "in the source"."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("| in the source |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    rows = []
    for line in table:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows.append(Row(tuple(re.findall(r"`([^`]+)`", cells[0])), tuple(re.findall(r"`([^`]+)`", cells[1])), cells[2]))
    return rows
