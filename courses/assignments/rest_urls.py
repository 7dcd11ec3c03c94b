"""Routes of the REST API of labs and assignments, below /api/v1/."""

from django.urls import path

from .rest import Labs
from .rest_work import AssignmentListView, HandInView, SubmissionView

urlpatterns = [
    path("labs/", Labs.as_view(), name="api-labs"),
    path("assignments/", AssignmentListView.as_view(), name="api-assignments"),
    path("assignments/<int:assignment_id>/submissions/", HandInView.as_view(), name="api-hand-in"),
    path("submissions/<int:submission_id>/", SubmissionView.as_view(), name="api-submission"),
]
