"""Taking lists in from a publication: everything is verified before anything is used, else the last good lists stay.

What stands in `folder`::

    metadata/       what was verified last, kept so that no older publication can come after a newer one
    targets/        the lists as they were fetched
    lists.json      the lists in use, written in one step after all of them were verified
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from safelight.errors import MatchingError
from safelight.matching.hashtext import excerpt
from safelight.matching.signed.publish import fingerprint

if TYPE_CHECKING:
    from tuf.ngclient import FetcherInterface, Updater

_IN_USE = "lists.json"
_LARGEST = 1 << 40
_PIECE = 1 << 20
_STAYS = "The lists fetched before stay in use. Ask the publisher, by telephone, before you try again."


@dataclass(frozen=True, slots=True)
class FetchedList:
    """A verified list.

    Attributes:
        path: the file. name, version, kind: as its publisher signed them. sha256: of the file.
        publication: the version of the publisher's signed table of lists.
    """

    path: str
    name: str
    version: str
    kind: str
    sha256: str
    publication: int


def trust(folder: Path, root: bytes) -> str:
    """Take a publisher's root file as the beginning of trust; returns the fingerprint for two people to compare.

    Raises:
        MatchingError: not a root file, or another publisher is trusted in this folder already.
    """
    shown = fingerprint(root)
    place = folder / "trusted-root.json"
    if place.exists() and place.read_bytes() != root:
        raise MatchingError(f"{folder} trusts another root already.", fix="Use a folder of its own for each publisher.")
    folder.mkdir(parents=True, exist_ok=True)
    place.write_bytes(root)
    return shown


def in_use(folder: Path) -> list[FetchedList]:
    """The lists that were verified last.

    Raises:
        MatchingError: the record of them is damaged.
    """
    try:
        return [FetchedList(**item) for item in json.loads((folder / _IN_USE).read_bytes())]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise MatchingError(f"{folder / _IN_USE} is damaged.", fix="Fetch the lists again.") from error


def fetch(folder: Path, source: str) -> list[FetchedList]:
    """Bring the lists of a publication up to date.

    Args:
        folder: made by `trust`.
        source: an https address, or a folder (a mounted medium).

    Returns:
        The lists in use now: name and version say what is new.

    Raises:
        MatchingError: anything about the publication is not as its holders signed it; what was in use stays in use.
    """
    from tuf.api.exceptions import DownloadError, RepositoryError
    from tuf.ngclient import Updater, UpdaterConfig

    try:
        root = (folder / "trusted-root.json").read_bytes()
    except OSError as error:
        raise MatchingError(
            f"{folder} trusts no publisher yet.", fix="Give the publisher's root: --root FILE."
        ) from error
    base, fetcher = _reached(source)
    for name in ("metadata", "targets"):
        (folder / name).mkdir(exist_ok=True)
    try:
        updater = Updater(
            str(folder / "metadata"), f"{base}/metadata/", str(folder / "targets"), f"{base}/targets/",
            fetcher=fetcher, config=UpdaterConfig(targets_max_length=50_000_000), bootstrap=root,
        )  # fmt: skip
        updater.refresh()
        lists = [_take(folder, updater, path) for path in sorted(updater._trusted_set.targets.targets)]
    except (RepositoryError, DownloadError, OSError, ValueError) as error:
        raise MatchingError(f"{source} is refused: {_reason(error)}", fix=_STAYS) from error
    partial = folder / f".{_IN_USE}.partial"
    partial.write_text(json.dumps([asdict(one) for one in lists]))
    partial.replace(folder / _IN_USE)
    wanted = {Path(one.path).name for one in lists}
    for old in (folder / "targets").iterdir():
        if old.name not in wanted:
            old.unlink()
    return lists


def _take(folder: Path, updater: Updater, path: str) -> FetchedList:
    info = updater.get_targetinfo(path)
    if info is None or info.length > _LARGEST:
        raise ValueError(f"the list {excerpt(path)} is not described")
    custom = info.unrecognized_fields.get("custom", {})
    digest = info.hashes["sha256"]
    place = str(folder / "targets" / f"{digest}.{Path(path).name}")
    got = updater.find_cached_target(info, place) or updater.download_target(info, place)
    return FetchedList(
        got, str(custom.get("name", path)), str(custom.get("version", "")), str(custom.get("kind", "known")), digest,
        updater._trusted_set.targets.version,
    )  # fmt: skip


def _reached(source: str) -> tuple[str, FetcherInterface | None]:
    address = urlparse(source)
    if address.scheme == "https" or (address.scheme == "http" and address.hostname in ("localhost", "127.0.0.1")):
        return source.rstrip("/"), None
    if address.scheme:
        raise MatchingError(f"{source} is neither an https address nor a folder.", fix="Give one of both.")
    place = Path(source)
    if not (place / "metadata").is_dir():
        raise MatchingError(f"{source} is not a publication: it has no folder metadata.", fix="Give its folder.")
    return place.absolute().as_uri(), _folder_fetcher()


def _folder_fetcher() -> FetcherInterface:
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient import FetcherInterface

    class FolderFetcher(FetcherInterface):
        """Reads a publication from a folder, as if it were a web server."""

        def _fetch(self, url: str) -> Iterator[bytes]:
            path = Path(unquote(urlparse(url).path))
            if not path.is_file():
                raise DownloadHTTPError(f"{path.name} is missing", 404)
            return _pieces(path)

    return FolderFetcher()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_PIECE):
            yield block


def _reason(error: Exception) -> str:
    """What is wrong with a publication, in one sentence of plain words."""
    from tuf.api import exceptions as tuf

    said = excerpt(" ".join(str(error).split()), 160)
    words: list[tuple[type[Exception] | tuple[type[Exception], ...], str]] = [
        (tuf.UnsignedMetadataError, "it lacks signatures of its holders"),
        (tuf.ExpiredMetadataError, "it is out of date: newer lists may be held back (frozen)"),
        (
            tuf.BadVersionNumberError,
            "it is older than what was fetched before, or its parts belong to different publications",
        ),
        (tuf.LengthOrHashMismatchError, "a file is not the one that was signed: it was changed or cut"),
        (tuf.DownloadLengthMismatchError, "a file is longer than what was signed"),
        (tuf.DownloadHTTPError, "a file that was signed is missing"),
        (tuf.DownloadError, "it cannot be reached or read"),
    ]
    found = next((sentence for kind, sentence in words if isinstance(error, kind)), "it makes no sense")
    return f"{found} ({said})."


def describe(lists: list[FetchedList]) -> list[dict[str, Any]]:
    """The lists as plain JSON, for records."""
    return [asdict(one) for one in lists]
