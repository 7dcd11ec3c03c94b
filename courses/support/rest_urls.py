"""REST routes of support, below /api/v1/."""

from django.urls import path

from .rest import CohortSignals

urlpatterns = [path("support/cohorts/<int:cohort_id>/", CohortSignals.as_view(), name="api-support-cohort")]
