from __future__ import annotations

from django.urls import path

from safelight.casework.submissions import grades, timeliness, views

app_name = "submissions"
urlpatterns = [
    path("submissions/", views.index, name="index"),
    path("cases/<str:reference>/submissions/", views.case_submissions, name="case_submissions"),
    path("cases/<str:reference>/submissions/grade/", grades.grade, name="grade"),
    path("cases/<str:reference>/submissions/import-grades/", grades.import_list, name="import_grades"),
    path("cases/<str:reference>/submissions/write/<str:device>/", views.write, name="write"),
    path("cases/<str:reference>/submissions/nothing/<str:device>/", views.nothing, name="nothing"),
    path("cases/<str:reference>/submissions/settle/<str:md5>/", grades.settle, name="settle_grade"),
    path("grading-agreement/", grades.agreement, name="agreement"),
    path("time-to-submission/", timeliness.index, name="timeliness"),
    path("submissions/<str:reference>/", views.detail, name="detail"),
    path("submissions/<str:reference>/file/", views.download, name="download"),
    path("submissions/<str:reference>/sent/", views.sent, name="sent"),
    path("submissions/<str:reference>/receipt/", views.receipt, name="receipt"),
    path("submissions/<str:reference>/items/<int:item>/settle/", views.settle, name="settle"),
    path("submissions/<str:reference>/resubmit/", views.resubmit, name="resubmit"),
]
