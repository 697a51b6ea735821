"""The demo's laboratory: full examinations over the weeks, exhibits that go home, children whom nobody has named, and
what the national database answers. Everything is invented; digests are those of the demo's own abstract pictures."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from safelight.casework.cases.models import Case
from safelight.casework.devices.models import Device, Finding
from safelight.casework.devices.release import carry_out, decide_release, holds_listed, still_needed
from safelight.casework.fleet import examinations as lab
from safelight.casework.fleet.lab import waiting_now
from safelight.casework.fleet.models import Examination
from safelight.casework.fleet.order import in_order
from safelight.casework.identification.feedback import import_feedback, settle_feedback
from safelight.casework.identification.models import Feedback
from safelight.casework.identification.services import add_files, add_lead, make_series, record_victim
from safelight.casework.submissions.material import files_of, to_grade
from safelight.casework.submissions.services import record_grades
from safelight.demo.force import Force
from safelight.demo.history import Story
from safelight.demo.sign_in import HOME_UNIT

SEED = 31
EVERY = timedelta(days=3)
TOOL = "Example grading tool 4.2 (synthetic)"
_QUESTIONS = (
    "Who used the account, and when? (invented)",
    "Was there contact with a child, and through which programme? (invented)",
    "What was sent to whom? (invented)",
)
_BLOCKS = (
    ("No passcode was given", "investigator", ""),
    ("The cable for this model is missing", "examiner", ""),
    ("The maker has been asked to unlock it", "outside", "Example Phones Ltd (synthetic)"),
    ("Two cases claim the device first", "supervisor", ""),
)


def laboratory_story(force: Force, start: datetime, until: datetime) -> Story:
    """Twice a week devices are sent for full examination; examiners take the next of the queue, more slowly."""
    rng = random.Random(SEED)  # noqa: S311 - chance for a demo
    moment = start
    while moment < until:
        yield moment
        _send(force, rng)
        _work(force, rng)
        moment += EVERY


def _send(force: Force, rng: random.Random) -> None:
    waiting = Device.objects.filter(case__status="open", decision="triage", examinations=None).select_related(
        "case__unit"
    )
    for device in waiting.order_by("booked_in_at", "pk")[:3]:
        actor = device.case.investigator or force.supervisors[device.case.unit.code]
        lab.submit(actor, device, asked_for=rng.choice(_QUESTIONS))


def _work(force: Force, rng: random.Random) -> None:
    for row in Examination.objects.filter(state="in_progress", device__case__status="open").select_related("examiner"):
        if row.started_at < timezone.now() - timedelta(days=8):
            lab.complete(
                row.examiner, row, result="Answered in report SYN-LAB; nothing of it is shown here (invented)."
            )
    for row in Examination.objects.filter(state="blocked", device__case__status="open").select_related("device__case"):
        if rng.random() < 0.2:
            lab.unblock(force.supervisors[row.device.case.unit.code], row, how="It came (invented).")
    for _ in range(2):
        examiner = rng.choice(force.examiners)
        row = next_for(examiner)
        if row is None:
            continue
        if rng.random() < 0.35:
            reason, lifter, who = rng.choice(_BLOCKS)
            lab.block(examiner, row, reason=f"{reason} (invented)", lifter=lifter, who=who)
        else:
            lab.take(examiner, row)


def next_for(examiner: Any) -> Examination | None:
    """What the queue offers this examiner next."""
    seen = Examination.objects.visible_to(examiner).filter(state="waiting")
    may = set(seen.values_list("pk", flat=True))
    following = next((one for one in in_order(waiting_now(examiner), timezone.now()) if one.key in may), None)
    return seen.select_related("device__case").get(pk=following.key) if following else None


def build_identification(force: Force) -> None:
    """Two graders who disagree, a series, children without a name, leads, and a file of answers."""
    supervisor, (first, second) = force.supervisors[HOME_UNIT], force.examiners[:2]
    home = Case.objects.filter(unit__code=HOME_UNIT)
    _votes(home, first, second)
    found = list(
        Finding.objects.filter(run__device__case__in=home, known_good=False, kind="exact")
        .order_by("pk")
        .values_list("md5", "run__device__case")
    )
    digests = list(dict.fromkeys(md5 for md5, _ in found))
    if not digests:
        return
    series = make_series(
        first, name="SYNTHETIC STRIPED CURTAIN", source="here",
        about="The same curtain in the background of abstract pictures made for the demo (invented).",
    )  # fmt: skip
    add_files(first, series, dict.fromkeys(digests[:4], "B"))
    one = record_victim(first, label="Child with the striped curtain", series=series, age_from=6, age_to=9, sex="girl")
    add_lead(first, one, kind="place", text="A curtain sold in one country only (invented).", source="Open sources")
    add_lead(
        second, one, kind="speech", text="A phrase in a language of the north (invented).", source="Sound of 2 files"
    )
    case = home.filter(pk=found[-1][1]).first()
    if case is not None and case.investigator is not None:
        other = record_victim(case.investigator, label="Child in the chat", case=case, age_from=11, age_to=14)
        lead = "A nickname that is used on another platform too (invented)."
        add_lead(case.investigator, other, kind="account", text=lead, source="Full examination")
    away = make_series(first, name="SYNTHETIC GREEN DOOR", source="national")
    record_victim(second, label="Child with the green door", series=away, age_from=4, age_to=6)
    lines = [
        "kind,md5,series,category,authority,note",
        f"known_series,{digests[0]},SYNTHETIC GREEN DOOR,B,,",
        "victim_identified,,SYNTHETIC GREEN DOOR,,Example Police (synthetic),Child is safe (invented)",
        f"category_changed,{digests[-1]},,A,,",
        f"known_series,{'0' * 31}1,SYNTHETIC BLUE LAMP,,,",
        "known_series,not a digest,SYNTHETIC BLUE LAMP,,,",
    ]
    import_feedback(first, name="answers-synthetic.csv", content="\n".join(lines).encode())
    settled = Feedback.objects.filter(case__unit__code=HOME_UNIT, kind="known_series").order_by("pk").last()
    if settled is not None:
        settle_feedback(supervisor, settled, words="The team that has the series was asked (invented).")


def _votes(cases: Any, first: Any, second: Any) -> None:
    """On the first device with something to grade, two examiners agree on some files and disagree on one."""
    for case in cases.filter(status="open", restricted=False).order_by("-pk"):
        files = [file.md5 for file in to_grade(files_of(case))][:4]
        if len(files) < 2:
            continue
        record_grades(first, case, grades=dict.fromkeys(files, "B"), graded_in=TOOL)
        record_grades(second, case, grades={**dict.fromkeys(files, "B"), files[0]: "A"}, graded_in=TOOL)
        return


def build_ends(force: Force, most: int = 4) -> None:
    """What becomes of exhibits of closed cases: some are done, one is decided, one is retained."""
    supervisor = force.supervisors[HOME_UNIT]
    closed = Device.objects.filter(case__status="closed", case__unit__code=HOME_UNIT).select_related("case")
    idle = [device for device in closed.order_by("pk")[: most * 5] if not still_needed(device)]
    for place, device in enumerate(idle[:most]):
        kind = "retain" if place == 2 else "destroy" if holds_listed(device) else "return"
        review = timezone.localdate() + timedelta(days=365) if kind == "retain" else None
        standing = decide_release(
            supervisor, device, kind=kind, authority="Force policy on property 4.2 (invented)",
            reason="The case is closed and nothing of it is in issue (invented).", review_on=review,
        )  # fmt: skip
        if place == 1:
            continue
        carry_out(
            supervisor, standing, handed_by="Example Storekeeper (synthetic)", received_by="Example Owner (synthetic)",
            place="Property store, Example Road", receipt=f"SYN-R-{device.pk:05d}",
            gaps="The store's own book has the hand-over to the keeper (invented).",
        )  # fmt: skip
