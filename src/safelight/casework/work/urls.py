from __future__ import annotations

from django.urls import path

from safelight.casework.work import views

app_name = "work"
urlpatterns = [
    path("", views.front, name="front"),
    path("work/", views.home, name="home"),
]
