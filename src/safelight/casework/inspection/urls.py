from __future__ import annotations

from django.urls import path

from safelight.casework.inspection import case_views, figure_views, views

app_name = "inspection"
urlpatterns = [
    path("audits/", views.index, name="index"),
    path("audits/new/", views.new, name="new"),
    path("audits/sent-back/", case_views.sent_back, name="sent_back"),
    path("audits/sent-back/<str:reference>/", case_views.answer, name="answer"),
    path("audits/published/", figure_views.published, name="published"),
    path("audits/clocks/", figure_views.clocks, name="clocks"),
    path("audits/charts/", figure_views.control, name="control"),
    path("audits/outcomes/", figure_views.outcomes, name="outcomes"),
    path("audits/<str:reference>/", views.plan, name="plan"),
    path("audits/<str:reference>/seal/", views.seal, name="seal"),
    path("audits/<str:reference>/draw/", views.draw, name="draw"),
    path("audits/<str:reference>/close/", views.close, name="close"),
    path("audits/<str:reference>/population.tsv", views.population, name="population"),
    path("audits/<str:reference>/result/", views.result, name="result"),
    path("audits/cases/<str:reference>/", case_views.detail, name="case"),
    path("audits/cases/<str:reference>/assess/", case_views.assess, name="assess"),
    path("audits/cases/<str:reference>/evidence/", case_views.evidence, name="evidence"),
    path("audits/cases/<str:reference>/missing/", case_views.missing, name="missing"),
    path("audits/cases/<str:reference>/settle/", case_views.settle, name="settle"),
    path("audits/cases/<str:reference>/send-back/", case_views.send_back, name="send_back"),
]
