from __future__ import annotations

from django.urls import path

from safelight.casework.oversight import quality_views, question_views, report_views, views

app_name = "oversight"
urlpatterns = [
    path("oversight/", views.index, name="index"),
    path("oversight/refresh/", views.refresh, name="refresh"),
    path("oversight/accountable/", views.name_officer, name="accountable"),
    path("oversight/questions/", question_views.index, name="questions"),
    path("oversight/questions/ask/", question_views.ask, name="ask"),
    path("oversight/questions/save/", question_views.save, name="save"),
    path("oversight/questions/export/", question_views.export, name="export"),
    path("oversight/reports/", report_views.index, name="reports"),
    path("oversight/reports/<str:reference>/", report_views.detail, name="report"),
    path("oversight/reports/<str:reference>/publish/", report_views.publish, name="publish"),
    path("oversight/reports/<str:reference>/file/<str:name>", report_views.file, name="report_file"),
    path("oversight/quality/", quality_views.index, name="quality"),
    path("oversight/quality/<slug:name>/", quality_views.detail, name="quality_rule"),
    path("oversight/<slug:name>/", views.detail, name="figure"),
]
