"""The pages of jobs."""

from django.urls import path

from .views import corrections, downloads, job, listing, submit, sweeps

app_name = "jobs"
urlpatterns = [
    path("jobs/", listing.jobs, name="list"),
    path("jobs/new/", submit.new, name="new"),
    path("jobs/compare/", listing.compare, name="compare"),
    path("jobs/sweeps/", sweeps.sweeps, name="sweeps"),
    path("jobs/sweeps/<int:sweep_id>/", sweeps.sweep, name="sweep"),
    path("jobs/sweeps/<int:sweep_id>/csv/", sweeps.sweep_csv, name="sweep-csv"),
    path("jobs/sweeps/<int:sweep_id>/cancel/", sweeps.cancel, name="sweep-cancel"),
    path("jobs/sweeps/<int:sweep_id>/rerun/", sweeps.rerun, name="sweep-rerun"),
    path("jobs/<int:job_id>/", job.job, name="job"),
    path("jobs/<int:job_id>/cancel/", job.cancel, name="cancel"),
    path("jobs/<int:job_id>/rerun/", job.rerun, name="rerun"),
    path("jobs/<int:job_id>/correct/", corrections.correct, name="correct"),
    path("jobs/<int:job_id>/log/", downloads.log, name="log"),
    path("jobs/<int:job_id>/artifacts/<int:artifact_id>/", downloads.artifact, name="artifact"),
]
