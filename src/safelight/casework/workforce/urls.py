from __future__ import annotations

from django.urls import path

from safelight.casework.workforce import staff_views, views

app_name = "workforce"
urlpatterns = [
    path("skills/", views.index, name="index"),
    path("skills/record/", views.record_skill, name="record"),
    path("me/", staff_views.me, name="me"),
    path("staff/<str:username>/", staff_views.staff, name="staff"),
    path("staff/<str:username>/<str:what>/", staff_views.plan, name="plan"),
    path("staff/<str:username>/<str:what>/<int:pk>/", staff_views.period, name="period"),
]
