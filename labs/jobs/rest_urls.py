"""REST routes of jobs and sweeps, below /api/v1/. `jobs/` and `sweeps/`, with submitting, are in `campus.web`."""

from django.urls import path

from . import rest, rest_corrections, rest_sweeps

urlpatterns = [
    path("jobs/<int:job_id>/", rest.JobView.as_view(), name="api-job"),
    path("jobs/<int:job_id>/cancel/", rest.JobCancelView.as_view(), name="api-job-cancel"),
    path("jobs/<int:job_id>/rerun/", rest.JobRerunView.as_view(), name="api-job-rerun"),
    path("jobs/<int:job_id>/corrections/", rest_corrections.JobCorrectionView.as_view(), name="api-job-corrections"),
    path("jobs/<int:job_id>/log/", rest.JobLogView.as_view(), name="api-job-log"),
    path("jobs/<int:job_id>/metrics/", rest.JobMetricsView.as_view(), name="api-job-metrics"),
    path("jobs/<int:job_id>/artifacts/", rest.JobArtifactsView.as_view(), name="api-job-artifacts"),
    path("jobs/<int:job_id>/artifacts/<int:artifact_id>/", rest.JobArtifactView.as_view(), name="api-job-artifact"),
    path("sweeps/<int:sweep_id>/", rest_sweeps.SweepView.as_view(), name="api-sweep"),
    path("sweeps/<int:sweep_id>/cancel/", rest_sweeps.SweepCancelView.as_view(), name="api-sweep-cancel"),
    path("sweeps/<int:sweep_id>/rerun/", rest_sweeps.SweepRerunView.as_view(), name="api-sweep-rerun"),
]
