"""The pages of jobs."""

from django.urls import path

from .views import downloads, job, listing, submit

app_name = "jobs"
urlpatterns = [
    path("jobs/", listing.jobs, name="list"),
    path("jobs/new/", submit.new, name="new"),
    path("jobs/compare/", listing.compare, name="compare"),
    path("jobs/<int:job_id>/", job.job, name="job"),
    path("jobs/<int:job_id>/cancel/", job.cancel, name="cancel"),
    path("jobs/<int:job_id>/rerun/", job.rerun, name="rerun"),
    path("jobs/<int:job_id>/log/", downloads.log, name="log"),
    path("jobs/<int:job_id>/artifacts/<int:artifact_id>/", downloads.artifact, name="artifact"),
]
