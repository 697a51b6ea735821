from __future__ import annotations

from django.urls import path

from safelight.casework.devices import end_views, live, views

app_name = "devices"
urlpatterns = [
    path("devices/", views.index, name="index"),
    path("cases/<str:reference>/devices/", views.case_devices, name="case_devices"),
    path("cases/<str:reference>/devices/book-in/", views.book_in, name="book_in"),
    path("devices/<str:reference>/", views.detail, name="detail"),
    path("devices/<str:reference>/custody/", views.custody, name="custody"),
    path("devices/<str:reference>/decision/", views.decision, name="decision"),
    path("devices/<str:reference>/image/", views.image, name="image"),
    path("devices/<str:reference>/images/<int:image>/bench/", end_views.bench, name="bench"),
    path("devices/<str:reference>/end/", end_views.release, name="release"),
    path("devices/<str:reference>/end/carry-out/", end_views.carry_out, name="carry_out"),
    path("devices/<str:reference>/end/withdraw/", end_views.withdraw, name="release_withdraw"),
    path("devices/<str:reference>/triage/", live.triage, name="triage"),
    path("devices/<str:reference>/runs/<str:run>/live/", live.progress, name="progress"),
    path("devices/<str:reference>/runs/<str:run>/cancel/", live.cancel, name="cancel"),
    path("devices/<str:reference>/runs/<str:run>/account/", live.account, name="account"),
    path("devices/<str:reference>/runs/<str:run>/<str:name>", live.report, name="report"),
]
