from __future__ import annotations

from django.urls import path

from safelight.casework.supervision import views

app_name = "supervision"
urlpatterns = [
    path("board/", views.board_page, name="board"),
    path("morning/", views.morning_page, name="morning"),
    path("cases/<str:reference>/plan/", views.plan, name="plan"),
    path("cases/<str:reference>/plan/<int:pk>/end/", views.action_end, name="action_end"),
    path("cases/<str:reference>/review/", views.review, name="review"),
]
