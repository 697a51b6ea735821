from __future__ import annotations

from django.urls import path

from safelight.casework.accounts import views

app_name = "accounts"
urlpatterns = [
    path("accounts/", views.index, name="index"),
    path("accounts/new/", views.create, name="create"),
]
