"""Pages: what becomes of an exhibit in the end, and which bench reaches an image."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from safelight.casework.base.attempt import posted
from safelight.casework.base.policy import page, require
from safelight.casework.devices import release as ends
from safelight.casework.devices import services
from safelight.casework.devices.forms import BenchForm, CarryOutForm, ReleaseForm, WithdrawReleaseForm
from safelight.casework.devices.models import Device, Release
from safelight.casework.devices.views import find, step


@page("devices.release", looks="device", methods=("GET", "POST"))
def release(request: HttpRequest, reference: str) -> HttpResponse:
    """Decide whether the exhibit is returned, destroyed or retained."""
    device = find(request, reference)
    require(request.user, "devices.release", device)
    needed = ends.still_needed(device)
    intro = ["The case still needs it, so that it can only be retained:", *needed] if needed else ""
    form = ReleaseForm(posted(request))
    return step(
        request, device, form, lambda: ends.decide_release(request.user, device, **form.cleaned_data),
        title="What becomes of the exhibit", button="Decide", said="Decided. Nothing has moved yet.", intro=intro,
        destructive=True,
    )  # fmt: skip


def _standing(device: Device) -> Release:
    found = device.releases.filter(withdrawn_at=None, event=None).first()
    if found is None:
        raise Http404(f"No decision about {device.reference} waits to be carried out.")
    return found


@page("devices.move", looks="device", methods=("GET", "POST"))
def carry_out(request: HttpRequest, reference: str) -> HttpResponse:
    """Record that the decision was carried out, with its receipt."""
    device = find(request, reference)
    require(request.user, "devices.move", device)
    standing = _standing(device)
    last = device.custody.last()
    form = CarryOutForm(posted(request), initial={"handed_by": last.received_by if last else ""})
    intro = [f"{standing.get_kind_display()}: {standing.authority}. {standing.reason}", *ends.gaps_of(device)]
    return step(
        request, device, form, lambda: ends.carry_out(request.user, standing, **form.cleaned_data),
        title="Carry it out", button="Record", said="Recorded: the chain of custody ends here.", intro=intro,
        destructive=True,
    )  # fmt: skip


@page("devices.release", looks="device", methods=("GET", "POST"))
def withdraw(request: HttpRequest, reference: str) -> HttpResponse:
    """Take the decision back."""
    device = find(request, reference)
    require(request.user, "devices.release", device)
    standing = _standing(device)
    form = WithdrawReleaseForm(posted(request))
    return step(
        request, device, form, lambda: ends.withdraw_release(request.user, standing, **form.cleaned_data),
        title="Take the decision back", button="Take it back", said="The decision is taken back.",
        intro=f"{standing.get_kind_display()}: {standing.authority}. {standing.reason}",
    )  # fmt: skip


@page("devices.register_image", looks="device", methods=("GET", "POST"))
def bench(request: HttpRequest, reference: str, image: int) -> HttpResponse:
    """Say which bench reaches an image."""
    device = find(request, reference)
    require(request.user, "devices.register_image", device)
    found = device.images.filter(pk=image).first()
    if found is None:
        raise Http404("There is no such image.")
    form = BenchForm(posted(request), initial={"bench": found.bench})
    return step(
        request, device, form, lambda: services.place_image(request.user, found, **form.cleaned_data),
        title="Which bench reaches the image", button="Record", said="Recorded.", intro=found.path,
    )  # fmt: skip
