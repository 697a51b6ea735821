from __future__ import annotations

from django.urls import path

from safelight.casework.referrals import import_views, views

app_name = "referrals"
urlpatterns = [
    path("referrals/", views.desk, name="desk"),
    path("referrals/new/", views.new, name="new"),
    path("referrals/import/", import_views.upload, name="import"),
    path("referrals/imports/<str:reference>/", import_views.batch, name="batch"),
    path("referrals/quarantine/", import_views.quarantine, name="quarantine"),
    path("referrals/quarantine/<int:pk>/", import_views.resolve, name="resolve"),
    path("referrals/<str:reference>/", views.detail, name="detail"),
    path("referrals/<str:reference>/close/", views.close, name="close"),
]
