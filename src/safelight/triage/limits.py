"""What a run does not look at, in sentences for the report."""

from __future__ import annotations

from safelight.triage.answers import Opened
from safelight.triage.settings import TriageSettings


def limits_of(settings: TriageSettings, opened: Opened) -> tuple[str, ...]:
    """What a run of this kind does not look at, whatever the device."""
    limits = []
    if opened.format != "folder":
        if settings.block_set:
            limits.append(
                "Free space was compared with the block set: fragments of other listed files, fragments shorter than "
                f"{settings.block_run} blocks of 4 KiB, and what is compressed or encrypted, cannot be seen that way."
            )
        if settings.carve and settings.deleted:
            limits.append(
                "Free space of file systems whose books tell it was searched for whole pictures (JPEG, PNG, GIF, WebP, "
                "BMP, TIFF, HEIC) stored in one piece; pictures in pieces, the free space of other file systems, and "
                "the slack behind the ends of files were not."
            )
        elif not settings.block_set:
            limits.append("Free space inside file systems, and the slack behind the ends of files, was not searched.")
    if not settings.deleted:
        limits.append("Deleted files were left out, by the settings.")
    if settings.pictures and settings.videos:
        with_what = "the listed pictures" + (" and videos" if settings.video_set else "; no list of videos was given")
        limits.append(
            f"Pictures and frames of videos (at least {settings.frame_seconds:g} s apart) were compared by likeness "
            f"with {with_what}; all other files by digest only."
        )
    elif settings.pictures:
        limits.append("Pictures were compared by digest and by likeness; all other files, videos too, by digest only.")
    else:
        limits.append("All files were compared by digest only, by the settings: a changed copy was not looked for.")
    if settings.pictures and settings.reduced:
        limits.append(
            "This was a first answer: pictures were hashed at reduced size and videos by their key frames, and only "
            "candidates anew at full size. A full run can find changed copies that this one missed."
        )
    if settings.inside_depth:
        limits.append(
            f"Archives and disk images inside the device were opened to a depth of {settings.inside_depth}; "
            "pictures inside other kinds of documents (PDF, old Office files, mail boxes) were not looked for."
        )
    else:
        limits.append("Archives, documents and disk images inside the device were not opened.")
    if not settings.hash_image and opened.format != "folder":
        limits.append("The image as a whole was not hashed, by the settings.")
    return tuple(limits)
