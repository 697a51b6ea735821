from __future__ import annotations

from django.urls import path

from safelight.casework.plans import views

app_name = "plans"
urlpatterns = [
    path("plans/", views.index, name="index"),
    path("plans/new/", views.new, name="new"),
    path("plans/smallest/", views.smallest, name="smallest"),
    path("plans/parameters/", views.parameters, name="parameters"),
    path("plans/parameters/from-our-records.toml", views.records_file, name="records_file"),
    path("plans/<str:reference>/", views.detail, name="detail"),
    path("plans/<str:reference>/progress/", views.progress, name="progress"),
    path("plans/<str:reference>/scenario/", views.scenario, name="scenario"),
    path("plans/<str:reference>/stop/", views.stop, name="stop"),
    path("plans/<str:reference>/run/", views.run, name="run"),
    path("plans/<str:reference>/figures/", views.figures, name="figures"),
]
