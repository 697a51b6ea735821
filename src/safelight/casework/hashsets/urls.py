from __future__ import annotations

from django.urls import path

from safelight.casework.hashsets import views

app_name = "hashsets"
urlpatterns = [
    path("hash-sets/", views.index, name="index"),
    path("hash-sets/import/", views.import_list, name="import"),
    path("hash-sets/<str:reference>/", views.detail, name="detail"),
    path("hash-sets/<str:reference>/retire/", views.retire, name="retire"),
]
