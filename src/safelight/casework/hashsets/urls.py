from __future__ import annotations

from django.urls import path

from safelight.casework.hashsets import bank_views, views

app_name = "hashsets"
urlpatterns = [
    path("hash-sets/", views.index, name="index"),
    path("hash-sets/import/", views.import_list, name="import"),
    path("hash-sets/overlaps/", bank_views.overlaps, name="overlaps"),
    path("hash-sets/overlaps/<int:pk>/", bank_views.overlap, name="overlap"),
    path("hash-sets/quarantine/", bank_views.quarantine, name="quarantine"),
    path("hash-sets/quarantine/<int:pk>/release/", bank_views.release, name="release"),
    path("hash-sets/negative-bank/", bank_views.negatives, name="negatives"),
    path("hash-sets/negative-bank/add/", bank_views.negative_add, name="negative_add"),
    path("hash-sets/negative-bank/<int:pk>/withdraw/", bank_views.negative_withdraw, name="negative_withdraw"),
    path("hash-sets/earlier-runs/", bank_views.recheck_list, name="rechecks"),
    path("hash-sets/earlier-runs/<int:pk>/", bank_views.recheck, name="recheck"),
    path("hash-sets/earlier-runs/found/<int:pk>/settle/", bank_views.settle, name="settle"),
    path("hash-sets/<str:reference>/hold/", bank_views.hold, name="hold"),
    path("hash-sets/<str:reference>/", views.detail, name="detail"),
    path("hash-sets/<str:reference>/retire/", views.retire, name="retire"),
]
