"""Routes of the gradebook's REST API, below /api/v1/."""

from django.urls import path

from .rest import GradebookCells, GradebookUndo, GradebookView, MyGrades

urlpatterns = [
    path("courses/<slug:slug>/grades/", MyGrades.as_view(), name="api-grades"),
    path("courses/<slug:slug>/gradebook/", GradebookView.as_view(), name="api-gradebook"),
    path("courses/<slug:slug>/gradebook/cells/", GradebookCells.as_view(), name="api-gradebook-cells"),
    path(
        "courses/<slug:slug>/gradebook/entries/<int:entry_id>/undo/",
        GradebookUndo.as_view(), name="api-gradebook-undo",
    ),
]  # fmt: skip
