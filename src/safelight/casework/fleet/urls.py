from __future__ import annotations

from django.urls import path

from safelight.casework.fleet import views

app_name = "fleet"
urlpatterns = [
    path("fleet/", views.index, name="index"),
    path("devices/<str:reference>/first-answer/", views.ask, name="ask"),
    path("devices/<str:reference>/field-report/", views.field_report, name="field_report"),
    path("devices/<str:reference>/first-answers/<str:look>/", views.detail, name="look"),
    path("devices/<str:reference>/first-answers/<str:look>/live/", views.progress, name="progress"),
    path("devices/<str:reference>/first-answers/<str:look>/<str:name>", views.report, name="report"),
]
