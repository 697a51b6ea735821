"""``safelight hashset diff``, ``key``, ``sign`` and ``fetch``: versions beside each other, and signed distribution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from safelight.matching import HashSet

_MOST_SHOWN = 20
_PASSPHRASE = "SAFELIGHT_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable


def open_or_read(path: Path) -> HashSet:
    """A set from the folder of an import, or from a list file.

    Raises:
        MatchingError: neither, or damaged.
    """
    from safelight.matching import HashSet, read_hash_set
    from safelight.standards import load_standards

    return (
        HashSet.open(path)
        if path.is_dir()
        else read_hash_set(path, category_of=load_standards(None).vics_category).hash_set
    )


def diff_command(
    old: Annotated[Path, typer.Argument(help="A list file, or the folder of an import.")],
    new: Annotated[Path, typer.Argument(help="The same, newer; or another list.")],
) -> None:
    """What a newer version of a list adds, removes and recategorises, and where two lists contradict each other."""
    from safelight.matching.comparing import difference_of, overlap_of

    before, after = open_or_read(old), open_or_read(new)
    changed, shared = difference_of(before, after), overlap_of(before, after)
    say = typer.echo
    say(f"{before.name}, version {before.version}: {len(before):,} entries. Root: {before.root}")
    say(f"{after.name}, version {after.version}: {len(after):,} entries. Root: {after.root}")
    say(
        f"Added {len(changed.added):,}, removed {len(changed.removed):,}, "
        f"recategorised {len(changed.recategorised):,}, in both {changed.same:,}."
    )
    for a, b in changed.recategorised[:_MOST_SHOWN]:
        hashes = after.entry(b)
        value = next(v for v in (hashes.sha256, hashes.sha1, hashes.md5, hashes.pdq) if v is not None)
        say(f"Recategorised: {value.hex()} from {before.category(a) or 'none'} to {after.category(b) or 'none'}")
    if len(changed.recategorised) > _MOST_SHOWN:
        say(f"and {len(changed.recategorised) - _MOST_SHOWN:,} more")
    if before.name != after.name or before.kind != after.kind:
        say(f"Contradictions: {shared.contradicting:,}.")
        for one in shared.contradictions[:_MOST_SHOWN]:
            words = f"{before.name} says {one.says}, {after.name} says {one.other_says}"
            say(f"{one.algorithm.upper()} {one.digest}: {words}")


def key_command(
    file: Annotated[Path, typer.Argument(help="Where the secret half goes; the public half goes to FILE.pub.")],
    passphrase: Annotated[
        str, typer.Option(envvar=_PASSPHRASE, help="Seals the secret half; better given in the environment.")
    ] = "",
) -> None:
    """Make the key of one person who signs lists. The secret half never leaves that person."""
    from safelight.matching.signed.keys import make_key

    public = make_key(file, passphrase)
    typer.echo(f"Secret half: {file} (keep it, pass it to nobody). Public half: {public}")
    if not passphrase:
        typer.echo("The secret half is not sealed with a passphrase.")


def sign_command(
    folder: Annotated[Path, typer.Argument(help="The publication: a folder to serve or to carry on a medium.")],
    key: Annotated[
        list[Path] | None, typer.Option("--key", metavar="FILE", help="Sign with this secret key; repeat for more.")
    ] = None,
    add: Annotated[
        list[Path] | None, typer.Option("--add", metavar="LIST", help="Add a list, or a new version; repeat for more.")
    ] = None,
    name: Annotated[
        str, typer.Option(help="With one --add: what the set is called; the file's name if left out.")
    ] = "",
    version: Annotated[str, typer.Option(help="With --add: the version, or its date.")] = "",
    kind: Annotated[str, typer.Option(help="With --add: known, known-good or common.")] = "known",
    remove: Annotated[list[str] | None, typer.Option(help="Withdraw the list of this name; repeat for more.")] = None,
    holder: Annotated[
        list[Path] | None,
        typer.Option("--holder", metavar="PUB", help="A public key that may sign: to set up, or to change who may."),
    ] = None,
    threshold: Annotated[int, typer.Option(help="With --holder: how many of them must sign; at least 2.")] = 2,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Renew the date, so that nobody takes it for held back.")
    ] = False,
    days: Annotated[int, typer.Option(help="After so many days without a renewal, it counts as held back.")] = 31,
    passphrase: Annotated[str, typer.Option(envvar=_PASSPHRASE, help="Opens the secret key.")] = "",
) -> None:
    """Sign lists for others (The Update Framework). It is published once enough holders have signed."""
    from safelight.errors import SafelightError
    from safelight.matching.signed.keys import read_public, read_secret
    from safelight.matching.signed.publish import Listed, fingerprint, sign, stage

    if add and (not version or (name and len(add) > 1)):
        raise SafelightError(
            "A list is added with its version, and a name belongs to one list.",
            fix="Give --version, and one --add a time.",
        )
    if add or remove or holder or refresh:
        stage(
            folder,
            holders=[read_public(path) for path in holder or ()],
            threshold=threshold if holder else 0,
            add=[Listed(path, name or path.stem, version, kind) for path in add or ()],
            remove=remove or (),
            fresh_days=days,
        )
        typer.echo("Staged. It is not published before enough holders have signed.")
    elif not key:
        raise SafelightError("Nothing to do.", fix="Give --key to sign, or --add, --remove, --holder or --refresh.")
    for path in key or ():
        standing = sign(folder, read_secret(path, passphrase))
        if standing.published:
            root = (folder / "metadata" / "1.root.json").read_bytes()
            typer.echo(f"Published with {standing.signed} signatures ({standing.needed} needed).")
            typer.echo(f"Fingerprint of the root, to be compared over the telephone: {fingerprint(root)}")
            break
        typer.echo(f"{standing.signed} of {standing.needed} signatures. Pass the folder on to the next holder.")


def fetch_command(
    source: Annotated[str, typer.Argument(help="An https address, or a folder (a mounted medium).")],
    store: Annotated[Path, typer.Option("--store", metavar="FOLDER", help="Where verified lists go.")],
    root: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The first time: the publisher's 1.root.json, got by another way."),
    ] = None,
) -> None:
    """Fetch signed lists. What is unsigned, changed, mixed, older or held back is refused; the last good ones stay."""
    from safelight.matching.signed.fetch import fetch, in_use, trust

    if root is not None:
        shown = trust(store, root.read_bytes())
        typer.echo(f"Fingerprint of the root: {shown}")
        typer.echo("Compare it with the publisher over the telephone before you use these lists.")
    before = {(one.name, one.sha256) for one in (in_use(store) if store.is_dir() else ())}
    lists = fetch(store, source)
    for one in lists:
        new = "" if (one.name, one.sha256) in before else ", new"
        typer.echo(f"{one.name}, version {one.version} ({one.kind}{new}): {one.path}")
    typer.echo("Import what is new: safelight hashset import FILE")


def register(group: typer.Typer) -> None:
    """Add the commands to ``safelight hashset``."""
    group.command("diff")(diff_command)
    group.command("key")(key_command)
    group.command("sign")(sign_command)
    group.command("fetch")(fetch_command)
