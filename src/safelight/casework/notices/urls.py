from __future__ import annotations

from django.urls import path

from safelight.casework.notices import views

app_name = "notices"
urlpatterns = [
    path("notices/", views.index, name="index"),
    path("notices/read/", views.read, name="read"),
    path("notices/outbox/", views.outbox_page, name="outbox"),
    path("notices/<str:reference>/", views.detail, name="detail"),
]
