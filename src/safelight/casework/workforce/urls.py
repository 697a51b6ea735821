from __future__ import annotations

from django.urls import path

from safelight.casework.workforce import views

app_name = "workforce"
urlpatterns = [
    path("skills/", views.index, name="index"),
    path("skills/record/", views.record_skill, name="record"),
]
