from __future__ import annotations

from django.urls import path

from safelight.casework.safeguarding import child_views, social_care_views, views

app_name = "safeguarding"
urlpatterns = [
    path("referrals/<str:reference>/children/", views.check, name="check"),
    path("referrals/<str:reference>/children/add/", child_views.add_to_referral, name="child_add"),
    path("cases/<str:reference>/children/", views.case_children, name="case_children"),
    path("cases/<str:reference>/children/add/", child_views.add_to_case, name="case_child_add"),
    path("cases/<str:reference>/children/refer/", social_care_views.refer, name="refer"),
    path("children/<str:reference>/", child_views.change, name="child"),
    path("children/<str:reference>/hold/", child_views.hold, name="hold"),
    path("children/<str:reference>/hold/lift/", child_views.lift, name="lift"),
    path("social-care/<str:reference>/", social_care_views.sent, name="sent"),
    path("social-care/<str:reference>/text/", social_care_views.text, name="text"),
    path("social-care/<str:reference>/chase/", social_care_views.chase, name="chase"),
    path("social-care/<str:reference>/answer/", social_care_views.answer, name="answer"),
]
