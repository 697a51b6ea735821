from __future__ import annotations

from django.urls import path

from safelight.casework.offenders import file_views, steps, views

app_name = "offenders"
STEPS = (
    "entry", "manager", "risk", "plan", "visit", "notification", "event", "child", "away", "back", "mappa",
    "intelligence", "note", "breach", "reactive", "decide", "end",
)  # fmt: skip
urlpatterns = [
    path("offenders/", views.index, name="index"),
    path("offenders/mine/", views.mine, name="mine"),
    path("offenders/officers/", views.officers, name="officers"),
    path("offenders/new/", steps.new, name="new"),
    path("offenders/export/", views.export, name="export"),
    path("offenders/import/", file_views.upload, name="import"),
    path("offenders/import/<str:reference>/", file_views.batch, name="batch"),
    path("offenders/rounds/", file_views.rounds, name="rounds"),
    path("offenders/<str:reference>/", views.detail, name="detail"),
    path("offenders/<str:reference>/named/<int:pk>/", views.noted, name="noted"),
    path("offenders/<str:reference>/happened/<int:pk>/", steps.happened, name="happened"),
    *(path(f"offenders/<str:reference>/{name}/", getattr(steps, name), name=name) for name in STEPS),
]
