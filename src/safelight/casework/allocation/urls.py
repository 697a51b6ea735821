from __future__ import annotations

from django.urls import path

from safelight.casework.allocation import conflict_views, moving_views, views

app_name = "allocation"
urlpatterns = [
    path("unallocated/", views.unallocated, name="unallocated"),
    path("cases/<str:reference>/allocate/", views.allocate_page, name="allocate"),
    path("cases/<str:reference>/allocate/suggested/", views.accept, name="accept"),
    path("cases/<str:reference>/allocate/end/", views.end, name="end"),
    path("cases/<str:reference>/complexity/", moving_views.complexity, name="complexity"),
    path("handing-over/", moving_views.handing_over_page, name="handing_over"),
    path("handing-over/<str:username>/", moving_views.hand_over, name="hand_over"),
    path("conflicts/", conflict_views.index, name="conflicts"),
    path("conflicts/new/", conflict_views.new, name="conflict_new"),
    path("conflicts/<int:pk>/end/", conflict_views.end, name="conflict_end"),
]
