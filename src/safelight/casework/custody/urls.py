from __future__ import annotations

from django.urls import path

from safelight.casework.custody import views

app_name = "custody"
urlpatterns = [
    path("custody/", views.index, name="index"),
    path("custody/new/", views.new, name="new"),
    path("custody/figures/", views.figures_page, name="figures"),
    path("custody/<str:reference>/", views.detail, name="detail"),
    path("custody/<str:reference>/<str:step>/", views.step, name="step"),
    path("cases/<str:reference>/custody/", views.of_case, name="of_case"),
]
