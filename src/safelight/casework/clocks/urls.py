from __future__ import annotations

from django.urls import path

from safelight.casework.clocks import views

app_name = "clocks"
urlpatterns = [
    path("clocks/", views.index, name="index"),
    path("clocks/<int:pk>/hold/", views.hold, name="hold"),
    path("clocks/<int:pk>/lift/", views.lift, name="lift"),
]
