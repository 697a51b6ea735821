from __future__ import annotations

from django.urls import path

from safelight.casework.workforce import staff_views, views, welfare_views

app_name = "workforce"
urlpatterns = [
    path("skills/", views.index, name="index"),
    path("skills/record/", views.record_skill, name="record"),
    path("skills/audit/", views.audit_page, name="audit"),
    path("skills/who/<str:skill>/", views.takers_page, name="takers"),
    path("skills/<int:pk>/end/", views.end_skill, name="end_skill"),
    path("grading-session/start/", welfare_views.start, name="session_start"),
    path("grading-session/end/", welfare_views.end, name="session_end"),
    path("welfare/", welfare_views.welfare, name="welfare"),
    path("welfare/<str:username>/", welfare_views.appointment, name="appointment"),
    path("me/", staff_views.me, name="me"),
    path("staff/<str:username>/", staff_views.staff, name="staff"),
    path("staff/<str:username>/<str:what>/", staff_views.plan, name="plan"),
    path("staff/<str:username>/<str:what>/<int:pk>/", staff_views.period, name="period"),
]
