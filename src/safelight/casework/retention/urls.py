from __future__ import annotations

from django.urls import path

from safelight.casework.retention import views

app_name = "retention"
urlpatterns = [
    path("retention/", views.index, name="index"),
    path("retention/hold/", views.hold_all, name="hold_all"),
    path("retention/holds/<str:reference>/lift/", views.lift, name="lift"),
    path("retention/decisions/<str:reference>/", views.settle, name="settle"),
    path("retention/<str:reference>/", views.detail, name="detail"),
    path("retention/<str:reference>/group/", views.group, name="group"),
    path("retention/<str:reference>/decide/", views.decide, name="decide"),
    path("retention/<str:reference>/hold/", views.hold, name="hold"),
]
