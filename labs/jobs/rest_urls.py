"""REST routes of jobs, below /api/v1/. `jobs/` itself is composed with submitting in `campus.web`."""

from django.urls import path

from . import rest

urlpatterns = [
    path("jobs/<int:job_id>/", rest.JobView.as_view(), name="api-job"),
    path("jobs/<int:job_id>/cancel/", rest.JobCancelView.as_view(), name="api-job-cancel"),
    path("jobs/<int:job_id>/rerun/", rest.JobRerunView.as_view(), name="api-job-rerun"),
    path("jobs/<int:job_id>/log/", rest.JobLogView.as_view(), name="api-job-log"),
    path("jobs/<int:job_id>/metrics/", rest.JobMetricsView.as_view(), name="api-job-metrics"),
    path("jobs/<int:job_id>/artifacts/", rest.JobArtifactsView.as_view(), name="api-job-artifacts"),
    path("jobs/<int:job_id>/artifacts/<int:artifact_id>/", rest.JobArtifactView.as_view(), name="api-job-artifact"),
]
