from __future__ import annotations

from django.urls import path

from safelight.casework.recommendations import views

app_name = "recommendations"
urlpatterns = [
    path("recommendations/", views.index, name="index"),
    path("recommendations/reports/new/", views.report, name="report"),
    path("recommendations/reports/<str:reference>/new/", views.new, name="new"),
    path("recommendations/<str:reference>/", views.detail, name="detail"),
    path("recommendations/<str:reference>/owner/", views.owner, name="owner"),
    path("recommendations/<str:reference>/plan/", views.plan, name="plan"),
    path("recommendations/<str:reference>/evidence/", views.proof, name="proof"),
    path("recommendations/<str:reference>/judge/", views.judge, name="judge"),
]
