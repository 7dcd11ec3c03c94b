"""REST routes of the timetable, below /api/v1/."""

from django.urls import path

from .rest import Cancel, Class, Classes, Move

urlpatterns = [
    path("classes/", Classes.as_view(), name="api-classes"),
    path("classes/<int:session_id>/", Class.as_view(), name="api-class"),
    path("classes/<int:session_id>/move/", Move.as_view(), name="api-class-move"),
    path("classes/<int:session_id>/cancel/", Cancel.as_view(), name="api-class-cancel"),
]
