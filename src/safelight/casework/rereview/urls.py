from __future__ import annotations

from django.urls import path

from safelight.casework.rereview import views

app_name = "rereview"
urlpatterns = [
    path("re-reviews/", views.index, name="index"),
    path("re-reviews/new/", views.new, name="new"),
    path("re-reviews/<str:reference>/", views.detail, name="detail"),
    path("re-reviews/<str:reference>/assign/", views.assign, name="assign"),
    path("re-reviews/<str:reference>/close/", views.close, name="close"),
    path("re-reviews/<str:reference>/<int:number>/", views.case, name="case"),
    path("re-reviews/<str:reference>/<int:number>/child/", views.child, name="child"),
    path("re-reviews/<str:reference>/<int:number>/move/", views.move, name="move"),
]
