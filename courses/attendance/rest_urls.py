"""Routes of attendance's REST API, below /api/v1/."""

from django.urls import path

from .rest import Marks, MyAttendance, Roll, TermView, Undo

urlpatterns = [
    path("attendance/", MyAttendance.as_view(), name="api-attendance"),
    path("attendance/classes/<int:session_id>/", Roll.as_view(), name="api-attendance-roll"),
    path("attendance/classes/<int:session_id>/marks/", Marks.as_view(), name="api-attendance-marks"),
    path("attendance/batches/<uuid:batch>/undo/", Undo.as_view(), name="api-attendance-undo"),
    path("attendance/cohorts/<int:cohort_id>/", TermView.as_view(), name="api-attendance-term"),
]
