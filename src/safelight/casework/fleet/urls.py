from __future__ import annotations

from django.urls import path

from safelight.casework.fleet import lab_views, views

app_name = "fleet"
urlpatterns = [
    path("fleet/", views.index, name="index"),
    path("forensic-queue/", lab_views.forensic_queue, name="forensic_queue"),
    path("devices/<str:reference>/examination/", lab_views.submit, name="submit"),
    *(
        path(f"devices/<str:reference>/examinations/<str:examination>/{name}/", view, name=name)
        for name, view in (
            ("take", lab_views.take),
            ("block", lab_views.block),
            ("unblock", lab_views.unblock),
            ("complete", lab_views.complete),
            ("withdraw", lab_views.withdraw),
        )
    ),
    path("devices/<str:reference>/first-answer/", views.ask, name="ask"),
    path("devices/<str:reference>/field-report/", views.field_report, name="field_report"),
    path("devices/<str:reference>/first-answers/<str:look>/", views.detail, name="look"),
    path("devices/<str:reference>/first-answers/<str:look>/live/", views.progress, name="progress"),
    path("devices/<str:reference>/first-answers/<str:look>/<str:name>", views.report, name="report"),
]
