"""A6: no picture of a device is in anything that Safelight writes, logs, keeps for a moment or answers."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from tests.casework.bench import CARD, Bench
from tests.support.canaries import Scanner, canaries_of, forms_of

from safelight.demo.contents import plan_files
from safelight.demo.diskimages import build_disk_images

pytestmark = pytest.mark.django_db


def database() -> bytes:
    """Every value of every table."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            columns = ", ".join(connection.ops.quote_name(f.column) for f in model._meta.concrete_fields)
            cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608
            for row in cursor.fetchall():
                found += [bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row]
    return b"\0".join(found)


def planted() -> list[Any]:
    """Canaries of the pictures on the card, as they were written there."""
    seed = build_disk_images.__kwdefaults__["seed"]
    pictures = [one for one in plan_files(CARD, seed) if one.kind == "picture"][:12]
    return [canary for one in pictures for canary in canaries_of(one.file.path, one.file.content)]


def test_no_byte_of_a_picture_leaves_the_worker(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    sign_in: Callable[[Any], Client],
) -> None:  # fmt: skip
    """A folder of thumbnails in a cache, a base64 picture in a log: whoever reads it commits an offence."""
    caplog.set_level(logging.DEBUG)
    passing = tmp_path / "passing"
    passing.mkdir()
    monkeypatch.setenv("TMPDIR", str(passing))
    monkeypatch.setattr(tempfile, "tempdir", str(passing))
    canaries = planted()
    scan = Scanner(canaries)
    assert len(canaries) >= 40
    card = (bench.evidence / "card.dd").read_bytes()
    assert sum(one.run in card for one in canaries if one.of.endswith("file")) >= 12, "They are not on the card."
    found: list[str] = []
    done = threading.Event()

    def watch() -> None:
        """What lies about for a moment only."""
        while not done.wait(0.2):
            found.extend(scan.files(passing))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        bench.import_sets()
        run = bench.triage(bench.device())
    finally:
        done.set()
        watcher.join()
    assert run.summary["pictures_hashed"] >= 12, "The pictures were never decoded: the test tests nothing."
    case = run.device.case
    client = sign_in(bench.examiner)
    answers = [
        client.get(reverse("devices:detail", args=[run.device.reference])),
        client.get(reverse("cases:detail", args=[case.reference])),
        client.get(reverse("devices:case_devices", args=[case.reference])),
    ]
    for answer in answers:
        found += scan.look(answer.request["PATH_INFO"], answer.content)
    found += scan.look("the log", caplog.text.encode(errors="replace"))
    found += scan.look("the database", database())
    found += scan.files(bench.data)
    found += scan.files(passing)
    assert found == []
    assert scan.looked_at > 100_000


def test_the_scan_finds_a_picture_in_every_form(tmp_path: Path) -> None:
    """A scan that finds nothing because it cannot would be taken for proof."""
    canary = planted()[0]
    scan = Scanner([canary])
    for number, form in enumerate(forms_of(canary.run)):
        (tmp_path / f"leak-{number}").write_bytes(b"some text before " + form + b" and after")
    assert len(scan.files(tmp_path)) >= 6
    import base64

    for shift in range(3):
        leak = base64.b64encode(b"x" * (30 + shift) + canary.run + b"y" * 20)
        assert scan.look("a page", leak), shift
