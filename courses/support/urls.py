"""Routes of support."""

from django.urls import path

from . import views

app_name = "support"
urlpatterns = [
    path("cohorts/<int:cohort_id>/support/", views.cohort_support, name="cohort"),
    path("cohorts/<int:cohort_id>/support/thresholds/", views.thresholds, name="thresholds"),
    path("support/learners/<int:enrolment_id>/", views.learner, name="learner"),
    path("support/learners/<int:enrolment_id>/note/", views.note, name="note"),
    path("support/learners/<int:enrolment_id>/write/", views.write, name="write"),
    path("support/messages/<int:message_id>/", views.message, name="message"),
]
