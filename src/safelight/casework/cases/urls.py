from __future__ import annotations

from django.urls import path

from safelight.casework.cases import live_views, steps, views

app_name = "cases"
urlpatterns = [
    path("cases/", views.index, name="index"),
    path("cases/open/", steps.open_new, name="open"),
    path("cases/live-contact/", live_views.live, name="live"),
    path("cases/<str:reference>/", views.detail, name="detail"),
    path("cases/<str:reference>/chronology/", views.chronology, name="chronology"),
    path("cases/<str:reference>/clocks/", views.clocks, name="clocks"),
    path("cases/<str:reference>/ledger/", views.ledger, name="ledger"),
    path("cases/<str:reference>/risk/", steps.risk, name="risk"),
    path("cases/<str:reference>/live-contact/", live_views.live_contact, name="live_contact"),
    path("cases/<str:reference>/access/", steps.access, name="access"),
    path("cases/<str:reference>/settle/<str:area>/", steps.settle_area, name="settle"),
    path("cases/<str:reference>/close/", steps.close, name="close"),
    path("cases/<str:reference>/reopen/", steps.reopen, name="reopen"),
]
