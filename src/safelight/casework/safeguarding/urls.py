from __future__ import annotations

from django.urls import path

from safelight.casework.safeguarding import child_views, record_views, social_care_views, views

app_name = "safeguarding"
urlpatterns = [
    path("referrals/<str:reference>/children/", views.check, name="check"),
    path("referrals/<str:reference>/children/add/", child_views.add_to_referral, name="child_add"),
    path("cases/<str:reference>/children/", views.case_children, name="case_children"),
    path("cases/<str:reference>/children/add/", child_views.add_to_case, name="case_child_add"),
    path("cases/<str:reference>/children/refer/", social_care_views.refer, name="refer"),
    path("cases/<str:reference>/children/linked/", record_views.bulk, name="bulk"),
    path("cases/<str:reference>/children/strategy/", record_views.strategy_call, name="strategy_call"),
    path("children/<str:reference>/record/", record_views.child_record, name="record"),
    path("children/<str:reference>/record/<str:step>/", record_views.child_step, name="record_step"),
    path("strategy/<str:reference>/", record_views.strategy, name="strategy"),
    path("strategy/<str:reference>/<str:step>/", record_views.strategy_step, name="strategy_step"),
    path("section-47/<str:reference>/", record_views.enquiry, name="enquiry"),
    path("section-47/<str:reference>/<str:step>/", record_views.enquiry_step, name="enquiry_step"),
    path("police-protection/<str:reference>/", record_views.protection, name="protection"),
    path("police-protection/<str:reference>/<str:step>/", record_views.protection_step, name="protection_step"),
    path("children/<str:reference>/", child_views.change, name="child"),
    path("children/<str:reference>/hold/", child_views.hold, name="hold"),
    path("children/<str:reference>/hold/lift/", child_views.lift, name="lift"),
    path("social-care/<str:reference>/", social_care_views.sent, name="sent"),
    path("social-care/<str:reference>/text/", social_care_views.text, name="text"),
    path("social-care/<str:reference>/chase/", social_care_views.chase, name="chase"),
    path("social-care/<str:reference>/escalate/", social_care_views.escalate, name="escalate"),
    path("social-care/<str:reference>/answer/", social_care_views.answer, name="answer"),
]
