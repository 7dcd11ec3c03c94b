"""The catalogue's pages."""

from django.urls import path

from .views import administration, catalogue, copying, roster_acts, rosters

app_name = "catalog"
urlpatterns = [
    path("courses/", catalogue.courses, name="list"),
    path("courses/<slug:slug>/", catalogue.run, name="run"),
    path("cohorts/<int:cohort_id>/enrol/", catalogue.enrol, name="enrol"),
    path("enrolments/<int:enrolment_id>/leave/", catalogue.leave, name="leave"),
    path("enrolments/<int:enrolment_id>/my-mode/", catalogue.switch_mode, name="switch-mode"),
    path("cohorts/<int:cohort_id>/roster/", rosters.people, name="roster"),
    path("cohorts/<int:cohort_id>/roster/add/", rosters.add, name="roster-add"),
    path("cohorts/<int:cohort_id>/roster/import/", rosters.upload, name="roster-import"),
    path("cohorts/<int:cohort_id>/roster/export/", roster_acts.export, name="roster-export"),
    path("cohorts/<int:cohort_id>/roster/invite/", roster_acts.invite, name="roster-invite"),
    path("enrolments/<int:enrolment_id>/withdraw/", rosters.remove, name="withdraw"),
    path("enrolments/<int:enrolment_id>/mode/", rosters.set_mode, name="set-mode"),
    path("catalog/", administration.overview, name="administration"),
    path("catalog/programmes/new/", administration.programme, name="new-programme"),
    path("catalog/programmes/<int:pk>/edit/", administration.programme, name="edit-programme"),
    path("catalog/courses/new/", administration.course, name="new-course"),
    path("catalog/courses/<int:pk>/edit/", administration.course, name="edit-course"),
    path("catalog/terms/new/", administration.term, name="new-term"),
    path("catalog/terms/<int:pk>/edit/", administration.term, name="edit-term"),
    path("catalog/runs/new/", administration.run, name="new-run"),
    path("catalog/runs/<int:pk>/edit/", administration.run, name="edit-run"),
    path("catalog/runs/<int:run_id>/copy/", copying.copy, name="copy-run"),
    path("catalog/runs/<int:run_id>/cohorts/new/", administration.new_cohort, name="new-cohort"),
    path("catalog/cohorts/<int:pk>/edit/", administration.edit_cohort, name="edit-cohort"),
]
