from __future__ import annotations

from django.urls import path

from safelight.casework.breakglass import views

app_name = "breakglass"
urlpatterns = [
    path("break-glass/", views.index, name="index"),
    path("break-glass/open/", views.ask, name="ask"),
    path("break-glass/<str:reference>/", views.detail, name="detail"),
    path("break-glass/<str:reference>/end/", views.end, name="end"),
    path("break-glass/<str:reference>/review/", views.review, name="review"),
]
