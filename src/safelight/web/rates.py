"""One person cannot ask for pages without end: a program in their name, or their browser gone wild, is slowed down.

Counted in each process, in memory: a write for every page would cost everybody what only one person needs. With two
processes a person gets at most twice the number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from safelight.casework.accounts.refusals import TOO_MANY, note_refusal

Answer = Callable[[HttpRequest], HttpResponse]
MOST_PEOPLE = 10_000  # kept in mind at once; who was longest away is forgotten first


class Allowance:
    """``a_minute`` requests for each person, at once or spread; what is not used comes back within a minute."""

    def __init__(self, a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.a_minute, self._clock, self._lock = a_minute, clock, threading.Lock()
        self._left: dict[int, tuple[float, float]] = {}  # person: (requests left, when that was)

    def take(self, person: int) -> float:
        """0 when the request is allowed; else seconds until the next one is."""
        with self._lock:
            now = self._clock()
            left, since = self._left.pop(person, (float(self.a_minute), now))
            left = min(left + (now - since) * self.a_minute / 60, float(self.a_minute))
            allowed = left >= 1
            self._left[person] = (left - 1 if allowed else left, now)
            if len(self._left) > MOST_PEOPLE:
                del self._left[next(iter(self._left))]
            return 0.0 if allowed else (1 - left) * 60 / self.a_minute


class PagesAMinute:
    """429 for who asks for more than SAFELIGHT_PAGES_A_MINUTE; the first refusal of a row stands in the ledger."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.allowance = Allowance(settings.PAGES_A_MINUTE) if settings.PAGES_A_MINUTE else None
        self._refused: set[int] = set()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.allowance is None or not request.session.session_key or not request.user.is_authenticated:
            return self.get_response(request)
        person = int(request.user.pk)
        wait = self.allowance.take(person)
        if not wait:
            self._refused.discard(person)
            return self.get_response(request)
        if person not in self._refused:
            self._refused.add(person)
            note_refusal(request, TOO_MANY)
        seconds = max(1, round(wait))
        about = {"pages": True, "wait": seconds, "sent": request.method == "POST"}
        answer = render(request, "429.html", about, status=429)
        answer["Retry-After"] = str(seconds)
        return answer
