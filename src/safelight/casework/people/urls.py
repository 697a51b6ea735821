from __future__ import annotations

from django.urls import path

from safelight.casework.people import views

app_name = "people"
urlpatterns = [
    path("people/<str:reference>/", views.detail, name="detail"),
    path("people/<str:reference>/change/", views.change, name="change"),
]
