from __future__ import annotations

from django.urls import path

from safelight.casework.exchange import bank_views, report_views, views

app_name = "exchange"
urlpatterns = [
    path("exchange/", views.index, name="index"),
    path("exchange/platforms/add/", views.add_platform, name="add_platform"),
    path("exchange/platforms/<str:reference>/", views.platform, name="platform"),
    path("exchange/platforms/<str:reference>/change/", views.change_platform, name="change_platform"),
    path("exchange/platforms/<str:reference>/close/", views.close_platform, name="close_platform"),
    path("exchange/platforms/<str:reference>/keys/issue/", views.issue_key, name="issue_key"),
    path("exchange/keys/<str:reference>/replace/", views.rotate_key, name="rotate_key"),
    path("exchange/keys/<str:reference>/revoke/", views.revoke_key, name="revoke_key"),
    path("exchange/keys/<str:reference>/suspend/", views.suspend_key, name="suspend_key"),
    path("exchange/keys/<str:reference>/lift/", views.lift_suspension, name="lift_suspension"),
    path("exchange/hits/", views.hits, name="hits"),
    path("exchange/banks/", bank_views.bank_list, name="banks"),
    path("exchange/banks/make/", bank_views.make_bank, name="make_bank"),
    path("exchange/banks/<str:reference>/", bank_views.bank, name="bank"),
    path("exchange/banks/<str:reference>/change/", bank_views.change_bank, name="change_bank"),
    path("exchange/banks/<str:reference>/add/", bank_views.add_content, name="add_content"),
    path("exchange/banks/<str:reference>/withdraw/", bank_views.withdraw, name="withdraw"),
    path("exchange/banks/<str:reference>/restore/<int:pk>/", bank_views.restore, name="restore"),
    path("exchange/reports/", report_views.report_list, name="reports"),
    path("exchange/reports/export/", report_views.export, name="export"),
    path("exchange/reports/<str:reference>/", report_views.report, name="report"),
    path("exchange/reports/<str:reference>/complete/", report_views.complete_report, name="complete_report"),
    path("exchange/notices/", report_views.notice_list, name="notices"),
    path("exchange/notices/record/", report_views.send_notice, name="send_notice"),
    path("exchange/notices/<str:reference>/", report_views.notice, name="notice"),
    path("exchange/notices/<str:reference>/chase/", report_views.chase, name="chase"),
    path("exchange/notices/<str:reference>/removed/", report_views.removed, name="removed"),
    path("exchange/notices/<str:reference>/refused/", report_views.refused, name="refused"),
    path("exchange/availability/", report_views.availability, name="availability"),
]
