"""One case with one of everything and everybody who might look at it, for tests that walk all pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.test import Client
from django.utils import timezone
from tests.casework.factories import (
    SKILL,
    make_allocation,
    make_case,
    make_child,
    make_contact_check,
    make_detention,
    make_device,
    make_offender,
    make_person,
    make_referral,
    make_user,
)
from tests.casework.inspection.makers import audit_arguments

from safelight.casework.allocation.models import Conflict
from safelight.casework.breakglass.models import Opening
from safelight.casework.cases.services import note
from safelight.casework.clocks.services import place_hold, start_clock
from safelight.casework.custody.accommodation import link_to_case
from safelight.casework.devices.models import EvidenceImage, Finding, Release, TriageRun
from safelight.casework.fleet.models import Examination, FirstLook
from safelight.casework.hashsets.models import HashSetRecord, HeldEntry, NegativeEntry, Recheck, RecheckHit, SetOverlap
from safelight.casework.identification.models import Feedback, FeedbackFile, FeedbackLine, Lead, Series, Victim
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.offenders.models import RegisterImport
from safelight.casework.offenders.notifying import open_duty
from safelight.casework.people.models import Merge, PossibleLink
from safelight.casework.referrals.models import ImportBatch, ImportLine
from safelight.casework.rereview.models import Entry, ReReview
from safelight.casework.retention.models import Decision
from safelight.casework.retention.models import Hold as RetentionHold
from safelight.casework.safeguarding.protection import take_into_protection
from safelight.casework.safeguarding.services import send_safeguarding_referral
from safelight.casework.safeguarding.strategy import call_strategy, record_strategy
from safelight.casework.sharing.services import create_agency, share_referral
from safelight.casework.submissions.models import Submission, SubmissionItem
from safelight.casework.supervision.models import PlanAction
from safelight.casework.victims.services import record_victim
from safelight.casework.workforce.models import Absence

COUNTS = ("media_size", "files_read", "files", "files_deleted", "pictures_hashed", "pictures")


@dataclass
class World:
    """One case with one of everything, and everybody who might look at it."""

    case: Any
    people: dict[str, Any]
    arguments: dict[str, dict[str, Any]]


def world(tmp_path: Path, settings: Any, names: Any, *, restricted: bool = False) -> World:
    settings.DATA = settings.REPORTS_ROOT = tmp_path
    now = timezone.now()
    supervisor = make_user("supervisor")
    referral = make_referral()
    make_contact_check(referral)
    case = make_case(actor=supervisor, referral=referral, restricted=restricted)
    people = {
        "desk": make_user("referral_desk"), "has": make_user(skills=[SKILL]), "unit": make_user(),
        "other": make_user(unit="SW"), "super": supervisor, "other_super": make_user("supervisor", "SW"),
        "examiner": make_user("examiner"), "admin": make_user("administrator"),
        "offend": make_user("offender_manager"), "custody": make_user("custody_officer"),
        "partner": make_user("partner", None), "auditor": make_user("auditor", None),
        "chief": make_user("chief_officer", None),
    }  # fmt: skip
    make_allocation(case, people["has"], supervisor)
    told, child = make_child(case=case), make_child(case=case, referral=referral)
    place = {"case": case, "unit": case.unit, "triggered_at": now - timedelta(hours=30)}
    clock = start_clock(supervisor, "police_referral_to_csc", child, **place)
    place_hold(supervisor, clock, reason="Synthetic.", hours=3)
    sent = send_safeguarding_referral(
        supervisor, case, children=[told], authority="Camden", recipient="Duty desk", concern="Synthetic."
    )
    discussion = call_strategy(supervisor, case, children=[told], why="Synthetic.")
    attendees = [(agency, "Example") for agency in ("police", "social_care", "health")]
    record_strategy(supervisor, discussion, attendees=attendees, decisions="Synthetic.", outcome="joint_47")
    protection = take_into_protection(
        supervisor, told, initiating_officer="PC Example", why="Synthetic.", place="Example home"
    )
    device = make_device(case, supervisor)
    image = EvidenceImage.objects.create(
        device=device, path=f"synthetic-{device.pk}.dd", imaged_at=now, registered_by=supervisor, registered_at=now
    )
    run = TriageRun.objects.create(
        device=device,
        image=image,
        state="unread_parts",
        queued_by=supervisor,
        queued_at=now,
        started_at=now,
        finished_at=now,
        report_folder="run",
        summary=dict.fromkeys(COUNTS, 0) | {"format": "raw", "operator": "x"},
    )
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "report.json").write_text("{}")
    look = FirstLook.objects.create(
        device=device, image=image, state="finished", seconds=60, asked_at=now, asked_by=supervisor, finished_at=now,
        level="no listed material in the sample", verdict="Synthetic.", report_folder="run",
    )  # fmt: skip
    examination = Examination.objects.create(
        device=device, asked_for="Synthetic.", submitted_at=now, submitted_by=supervisor
    )
    Release.objects.create(
        device=device, kind="return", authority="Synthetic.", reason="Synthetic.", decided_by=supervisor, decided_at=now
    )
    series = Series.objects.create(name=f"Synthetic {case.pk}", source="here", made_at=now, made_by=supervisor)
    victim = Victim.objects.create(
        label="Synthetic", series=series, case=case, age_from=5, age_to=9, recorded_at=now, recorded_by=supervisor
    )
    lead = Lead.objects.create(
        victim=victim, kind="tip", text="Synthetic.", source="Synthetic.", owner=supervisor, recorded_at=now,
        recorded_by=supervisor,
    )  # fmt: skip
    answers = FeedbackFile.objects.create(
        name="x.csv", sha256=f"{case.pk:064x}", imported_at=now, imported_by=supervisor
    )
    answer_line = FeedbackLine.objects.create(file=answers, number=1, kind="known_series", outcome="told", raw="x")
    feedback = Feedback.objects.create(
        line=answer_line, case=case, kind="known_series", text="Synthetic.", series=series, told_at=now
    )
    (tmp_path / "vics.json").write_text("{}")
    submission = Submission.objects.create(
        case=case, device=device, run=run, context="synthetic", path="vics.json", written_at=now,
        written_by=supervisor, sha256="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    )  # fmt: skip
    batch = ImportBatch.objects.create(
        file_name="synthetic.csv", sha256="0" * 64, format="csv", imported_at=now, imported_by=people["desk"]
    )
    line = ImportLine.objects.create(batch=batch, number=1, outcome="quarantined", reason="Synthetic.", raw="x")
    of_case, of_device = {"reference": case.reference}, {"reference": device.reference}
    of_look = {**of_device, "look": look.reference}
    of_run = {**of_device, "run": run.reference}
    suspect = case.people.get(role="suspect").person
    possible = PossibleLink.objects.create(
        person=suspect, source="visor", key="1", found_at=now, model="synthetic", state="same", reason="Synthetic.",
        decided_at=now, decided_by=people["has"], evidence={"reasons": ["Synthetic."], "steps": []},
    )  # fmt: skip
    detention = link_to_case(supervisor, make_detention(), case)
    merge = Merge.objects.create(
        kept=suspect, gone=make_person(merged_into=suspect), reason="Synthetic.", merged_at=now,
        merged_by=supervisor,
    )  # fmt: skip
    arguments: dict[str, dict[str, Any]] = {
        "custody:detail": {"reference": detention.reference},
        "custody:step": {"reference": detention.reference, "step": "review"},
        "cases:settle": {**of_case, "area": "devices"},
        "clocks:hold": {"pk": clock.pk}, "clocks:lift": {"pk": clock.pk},
        "devices:progress": of_run, "devices:account": of_run, "devices:report": {**of_run, "name": "report.json"},
        "fleet:field_report": of_device, "fleet:look": of_look, "fleet:progress": of_look,
        "fleet:report": {**of_look, "name": "report.json"},
        "ledger:entry": {"pk": LedgerEntry.objects.filter(verb="case.opened", case_key=case.pk).get().pk},
        "people:detail": {"reference": suspect.reference}, "people:change": {"reference": suspect.reference},
        "people:network": {"reference": suspect.reference}, "people:merge": {"reference": suspect.reference},
        "people:merge_undo": {"reference": merge.reference},
        "people:link": {"reference": possible.reference}, "people:link_undo": {"reference": possible.reference},
        "referrals:batch": {"reference": batch.reference}, "referrals:resolve": {"pk": line.pk},
        "identification:series": {"reference": series.reference},
        "identification:files": {"reference": series.reference},
        "identification:close_lead": {"reference": lead.reference},
        "identification:feedback_file": {"reference": answers.reference},
        "identification:feedback": {"reference": feedback.reference},
        **dict.fromkeys(
            ("identification:victim", "identification:lead", "identification:identify"), {"reference": victim.reference}
        ),
        "submissions:settle_grade": {**of_case, "md5": "0" * 32},
        "submissions:nothing": {**of_case, "device": device.reference},
        "submissions:settle": {"reference": submission.reference, "item": 0},
    }  # fmt: skip
    colleague = {"username": people["has"].username}
    away = Absence.objects.create(
        user=people["has"], kind="leave", from_day=timezone.localdate() + timedelta(days=200), recorded_at=now
    )
    conflict = Conflict.objects.create(
        user=make_user(), person=make_person(), reason="Synthetic.", declared_by=supervisor, declared_at=now
    )
    action = PlanAction.objects.create(
        case=case,
        text="Synthetic.",
        owner=people["has"],
        due_on=timezone.localdate(),
        added_by=supervisor,
        added_at=now,
    )
    arguments |= {
        "supervision:action_end": {**of_case, "pk": action.pk},
        "allocation:hand_over": colleague, "allocation:conflict_end": {"pk": conflict.pk},
        "workforce:takers": {"skill": SKILL}, "workforce:appointment": colleague,
        "workforce:end_skill": {"pk": people["has"].accreditations.get().pk},
        "workforce:staff": colleague, "workforce:plan": {**colleague, "what": "absence"},
        "workforce:period": {**colleague, "what": "absence", "pk": away.pk},
    }  # fmt: skip
    arguments |= dict.fromkeys(
        ("fleet:take", "fleet:block", "fleet:unblock", "fleet:complete", "fleet:withdraw"),
        {**of_device, "examination": examination.reference},
    )
    arguments |= {"devices:bench": {**of_device, "image": image.pk}, "fleet:submit": of_device}
    victim = record_victim(supervisor, case, person=told.person, entitlement="enhanced", reason="child")
    event = note(supervisor, case, "arrest", "Synthetic.")
    arguments |= {
        "victims:entitlement": {"reference": victim.reference}, "victims:wish": {"reference": victim.reference},
        "victims:told": {"reference": victim.updates.get(event=event).reference},
    }  # fmt: skip
    offender = make_offender(make_user("offender_manager"), plan=(3, "months"))
    entries = RegisterImport.objects.create(
        file_name="synthetic.csv", sha256="0" * 64, imported_at=now, imported_by=supervisor
    )
    duty = open_duty(offender.manager, offender, "rso_change_notify", now.date(), "Synthetic.")
    again = ReReview.objects.create(
        title="Synthetic", why="other", reason="Synthetic.", due_on=now.date() + timedelta(days=9), made_at=now,
        made_by=supervisor, unit=supervisor.unit, digest="0" * 64,
    )  # fmt: skip
    Entry.objects.create(rereview=again, number=1, case=case)
    for name in ("case", "child", "move"):
        arguments[f"rereview:{name}"] = {"reference": again.reference, "number": 1}
    arguments |= {f"rereview:{name}": {"reference": again.reference} for name in ("detail", "assign", "close")}
    of_offender = {"reference": offender.reference}
    arguments |= {name: of_offender for name in names if name.startswith("offenders:")}
    arguments |= {
        "offenders:batch": {"reference": entries.reference}, "offenders:happened": {**of_offender, "pk": duty.pk},
        "offenders:noted": {**of_offender, "pk": 1},
    }  # fmt: skip
    arguments |= dict.fromkeys(
        ("safeguarding:child", "safeguarding:hold", "safeguarding:lift"), {"reference": child.reference}
    )
    arguments |= dict.fromkeys(
        ("safeguarding:sent", "safeguarding:text", "safeguarding:chase", "safeguarding:answer"),
        {"reference": sent.reference},
    )
    visitor = make_user("referral_desk")
    opening = Opening.objects.create(
        user=visitor, case=case, why="child_at_risk", reason="Synthetic.", opened_at=now - timedelta(hours=5),
        until=now - timedelta(hours=1), review_due_at=now + timedelta(days=3),
    )  # fmt: skip
    arguments |= dict.fromkeys(
        ("breakglass:detail", "breakglass:end", "breakglass:review"), {"reference": opening.reference}
    )
    held = RetentionHold.objects.create(
        case=case, kind="legal", reason="Synthetic.", placed_by=supervisor, placed_at=now
    )
    decided = Decision.objects.create(
        case=case, outcome="keep", reason="Synthetic.", keep_until=now.date() + timedelta(days=900),
        proposed_by=supervisor, proposed_at=now,
    )  # fmt: skip
    arguments["retention:lift"] = {"reference": held.reference}
    arguments["retention:settle"] = {"reference": decided.reference}
    arguments |= dict.fromkeys(
        ("retention:detail", "retention:group", "retention:decide", "retention:hold"), {"reference": case.reference}
    )
    arguments |= audit_arguments(case, people)
    arguments["safeguarding:record"] = {"reference": told.reference}
    arguments["safeguarding:record_step"] = {"reference": told.reference, "step": "voice"}
    arguments["safeguarding:escalate"] = {"reference": sent.reference}
    for kind, row, step in (
        ("strategy", discussion, "circulated"), ("enquiry", discussion.enquiries.get(), "seen"),
        ("protection", protection, "told"),
    ):  # fmt: skip
        arguments[f"safeguarding:{kind}"] = {"reference": row.reference}
        arguments[f"safeguarding:{kind}_step"] = {"reference": row.reference, "step": step}
    agency = create_agency(None, name=f"Example trust {case.pk}", kind="health")
    shared = share_referral(supervisor, sent, agency=agency, basis="section_47")
    arguments |= {
        "sharing:detail": {"reference": shared.reference},
        "sharing:step": {"reference": shared.reference, "step": "reply"},
        "sharing:received": {"reference": shared.reference},
        "sharing:received_step": {"reference": shared.reference, "step": "ask"},
        "sharing:share_referral": {"reference": sent.reference},
        "sharing:share_strategy": {"reference": discussion.reference},
    }
    for name in names:
        app = name.split(":")[0]
        if name in arguments:
            continue
        if name in ("safeguarding:check", "safeguarding:child_add") or app == "referrals":
            arguments[name] = {"reference": referral.reference}
        elif app == "devices" and name not in ("devices:case_devices", "devices:book_in"):
            arguments[name] = of_device
        elif name in ("submissions:detail", "submissions:download", "submissions:sent", "submissions:receipt"):
            arguments[name] = {"reference": submission.reference}
        else:
            arguments[name] = of_case
    item = _item(submission, run, people["has"])
    known = HashSetRecord.objects.get(name=f"Synthetic {run.pk}")
    shared = SetOverlap.objects.create(
        ours=known, theirs=known, ours_shared=1, theirs_shared=1, contradicting=0, compared_at=now
    )
    held = HeldEntry.objects.create(hash_set=known, pdq="0" * 64, reason="Synthetic.", held_at=now)
    negative = NegativeEntry.objects.create(
        pdq=f"{case.pk:064x}", reason="Synthetic.", confirmed_at=now, confirmed_by=supervisor
    )
    recheck = Recheck.objects.create(hash_set=known, asked_at=now, finished_at=now, runs_checked=1)
    hit = RecheckHit.objects.create(recheck=recheck, run=run, files=1, exact=1, category="a")
    arguments |= {
        "hashsets:settle": {"pk": hit.pk}, "hashsets:recheck": {"pk": recheck.pk},
        "hashsets:overlap": {"pk": shared.pk}, "hashsets:release": {"pk": held.pk},
        **dict.fromkeys(("hashsets:hold", "hashsets:detail", "hashsets:retire"), {"reference": known.reference}),
        "hashsets:negative_withdraw": {"pk": negative.pk},
    }  # fmt: skip
    arguments["submissions:settle"] = {"reference": submission.reference, "item": item}
    return World(case, people, arguments)


def _item(submission: Submission, run: TriageRun, owner: Any) -> int:
    now = timezone.now()
    known = HashSetRecord.objects.create(
        name=f"Synthetic {run.pk}", kind="known", version="1", root="0" * 64, folder="x", source="Synthetic",
        legal_basis="Synthetic", file_name="x.csv", file_sha256="0" * 64, format="csv", imported_at=now,
        imported_by=owner, counts={"entries": 1, "rejected": 0, "by_category": {}, "by_hash": {}},
    )  # fmt: skip
    finding = Finding.objects.create(
        run=run, kind="exact", algorithm="md5", hash_set=known, path="/synthetic.jpg", size=1, md5="0" * 32,
        sha1="0" * 40, sha256="0" * 64, category="a",
    )  # fmt: skip
    fields = {"submission": submission, "finding": finding, "md5": "0" * 32, "state": "rejected", "owner": owner}
    return SubmissionItem.objects.create(**fields, category="a", basis="known", rejected_reason="Synthetic.").pk


def client_of(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client
