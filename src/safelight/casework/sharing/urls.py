from __future__ import annotations

from django.urls import path

from safelight.casework.sharing import admin_views, portal_views, views

app_name = "sharing"
urlpatterns = [
    path("partner/", portal_views.inbox_page, name="inbox"),
    path("partner/<str:reference>/", portal_views.received, name="received"),
    path("partner/<str:reference>/<str:step>/", portal_views.received_step, name="received_step"),
    path("cases/<str:reference>/sharing/", views.case_sharing, name="of_case"),
    path("cases/<str:reference>/sharing/message/", views.message, name="message"),
    path("social-care/<str:reference>/share/", views.referral, name="share_referral"),
    path("sharing/strategy/<str:reference>/", views.strategy, name="share_strategy"),
    path("sharing/<str:reference>/", views.detail, name="detail"),
    path("sharing/<str:reference>/<str:step>/", views.step, name="step"),
    path("agencies/", admin_views.agencies, name="agencies"),
    path("agencies/new/", admin_views.new_agency, name="new_agency"),
    path("agencies/members/", admin_views.member, name="member"),
]
