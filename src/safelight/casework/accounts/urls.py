from __future__ import annotations

from django.urls import path

from safelight.casework.accounts import own_views, recovery_views, views

app_name = "accounts"
urlpatterns = [
    path("accounts/", views.index, name="index"),
    path("accounts/new/", views.create, name="create"),
    path("accounts/service/", views.subjects, name="subjects"),
    path("accounts/service/<int:pk>/", views.subject, name="subject"),
    path("accounts/recoveries/", recovery_views.recoveries, name="recoveries"),
    path("accounts/recoveries/<int:pk>/", recovery_views.recovery, name="recovery"),
    path("accounts/of/<str:username>/", views.detail, name="detail"),
    path("accounts/of/<str:username>/recover/", recovery_views.recover, name="recover"),
    path("accounts/of/<str:username>/close/", views.close, name="close"),
    path("accounts/of/<str:username>/open/", views.reopen, name="reopen"),
    path("accounts/of/<str:username>/sessions/end/", views.end_sessions, name="end_sessions"),
    path("accounts/of/<str:username>/disconnect/", views.take_off, name="disconnect"),
    path("my-sign-in/", own_views.mine, name="mine"),
    path("my-sign-in/codes/", own_views.codes, name="codes"),
    path("my-sign-in/sessions/end/", own_views.end, name="end_session"),
]
