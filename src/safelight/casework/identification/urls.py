from __future__ import annotations

from django.urls import path

from safelight.casework.identification import feedback_views, views

app_name = "identification"
urlpatterns = [
    path("victim-identification/", views.index, name="index"),
    path("victim-identification/series/", views.series_list, name="series_list"),
    path("victim-identification/series/new/", views.series_new, name="series_new"),
    path("victim-identification/series/<str:reference>/", views.series, name="series"),
    path("victim-identification/series/<str:reference>/files/", views.files, name="files"),
    path("victim-identification/children/new/", views.victim_new, name="victim_new"),
    path("victim-identification/children/<str:reference>/", views.victim, name="victim"),
    path("victim-identification/children/<str:reference>/lead/", views.lead, name="lead"),
    path("victim-identification/children/<str:reference>/identify/", views.identify, name="identify"),
    path("victim-identification/leads/<str:reference>/close/", views.close_lead, name="close_lead"),
    path("national-answers/", feedback_views.index, name="feedback_list"),
    path("national-answers/files/", feedback_views.files, name="feedback_files"),
    path("national-answers/import/", feedback_views.import_file, name="feedback_import"),
    path("national-answers/files/<str:reference>/", feedback_views.file, name="feedback_file"),
    path("national-answers/<str:reference>/", feedback_views.settle, name="feedback"),
]
