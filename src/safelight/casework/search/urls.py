from __future__ import annotations

from django.urls import path

from safelight.casework.search import export_views, views

app_name = "search"
urlpatterns = [
    path("search/", views.results, name="results"),
    path("lists/<str:name>/take-out/", export_views.export, name="export"),
]
