from __future__ import annotations

from django.urls import path

from safelight.casework.supervision import views

app_name = "supervision"
urlpatterns = [
    path("board/", views.board_page, name="board"),
    path("cases/<str:reference>/review/", views.review, name="review"),
]
