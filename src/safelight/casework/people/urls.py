from __future__ import annotations

from django.urls import path

from safelight.casework.people import link_views, merge_views, views

app_name = "people"
urlpatterns = [
    path("people/", views.index, name="index"),
    path("people/links/", link_views.links, name="links"),
    path("people/links/<str:reference>/", link_views.link, name="link"),
    path("people/links/<str:reference>/undo/", link_views.undo, name="link_undo"),
    path("people/merges/<str:reference>/undo/", merge_views.undo, name="merge_undo"),
    path("people/<str:reference>/merge/", merge_views.merge, name="merge"),
    path("people/<str:reference>/network/", link_views.network, name="network"),
    path("people/<str:reference>/", views.detail, name="detail"),
    path("people/<str:reference>/change/", views.change, name="change"),
]
