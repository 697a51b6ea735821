"""My work: the first page after signing in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from safelight.casework.base.policy import SIGNED_IN, look, page
from safelight.casework.work.queries import work_of


@page(SIGNED_IN)
def front(request: HttpRequest) -> HttpResponse:
    """The address of the site itself leads to My work."""
    return redirect("work:home")


@page(SIGNED_IN, looks="list")
def home(request: HttpRequest) -> HttpResponse:
    """What waits for the signed-in person, most urgent first."""
    work = work_of(request.user)
    look(request, "list", None, list="my work", shown=sorted({task.item.subject for task in work.tasks}))
    return render(request, "work/home.html", {"work": work})
