from __future__ import annotations

from django.urls import path

from safelight.casework.victims import views

app_name = "victims"
urlpatterns = [
    path("victims/", views.index, name="index"),
    path("cases/<str:reference>/victims/", views.case_victims, name="case_victims"),
    path("cases/<str:reference>/victims/record/", views.add, name="add"),
    path("victims/<str:reference>/entitlement/", views.entitlement, name="entitlement"),
    path("victims/<str:reference>/wish/", views.wish, name="wish"),
    path("victims/updates/<str:reference>/told/", views.told, name="told"),
]
