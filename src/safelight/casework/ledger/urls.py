from __future__ import annotations

from django.urls import path

from safelight.casework.ledger import views

app_name = "ledger"
urlpatterns = [
    path("ledger/", views.index, name="index"),
    path("ledger/verify/", views.verify_now, name="verify"),
    path("ledger/<int:pk>/", views.entry, name="entry"),
]
