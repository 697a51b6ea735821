from __future__ import annotations

from django.urls import path

from safelight.casework.allocation import views

app_name = "allocation"
urlpatterns = [
    path("unallocated/", views.unallocated, name="unallocated"),
    path("cases/<str:reference>/allocate/", views.allocate_page, name="allocate"),
    path("cases/<str:reference>/allocate/suggested/", views.accept, name="accept"),
    path("cases/<str:reference>/allocate/end/", views.end, name="end"),
]
