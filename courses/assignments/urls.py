"""The pages of labs and assignments."""

from django.urls import path

from . import (
    arranging_views,
    views,
    views_authoring,
    views_grading,
    views_groups,
    views_offers,
    views_policy,
    views_work,
)

app_name = "assignments"
urlpatterns = [
    path("labs/<int:lab_id>/", views.lab, name="lab"),
    path("labs/<int:lab_id>/runs/", views.submit, name="submit"),
    path("labs/<int:lab_id>/edit/", views.edit_lab, name="edit-lab"),
    path("labs/<int:lab_id>/move/", arranging_views.move, name="move-lab"),
    path("labs/<int:lab_id>/delete/", arranging_views.remove, name="delete-lab"),
    path("modules/<int:module_id>/labs/new/", views.new_lab, name="new-lab"),
    path("courses/<slug:slug>/assignments/", views_work.assignments, name="list"),
    path("courses/<slug:slug>/assignments/policy/", views_policy.late_policy, name="policy"),
    path("courses/<slug:slug>/groups/", views_groups.group_sets, name="group-sets"),
    path("group-sets/<int:set_id>/", views_groups.groups, name="groups"),
    path("modules/<int:module_id>/assignments/new/", views_authoring.new_assignment, name="new-assignment"),
    path("assignments/<int:assignment_id>/", views_work.assignment, name="assignment"),
    path("assignments/<int:assignment_id>/submit/", views_work.submit, name="hand-in"),
    path("assignments/<int:assignment_id>/late-day/", views_work.late_day, name="late-day"),
    path("assignments/<int:assignment_id>/edit/", views_authoring.edit_assignment, name="edit-assignment"),
    path("assignments/<int:assignment_id>/tests/", views_authoring.edit_tests, name="tests"),
    path("assignments/<int:assignment_id>/deadlines/", views_authoring.deadlines, name="deadlines"),
    path(
        "assignments/<int:assignment_id>/deadlines/<int:change_id>/revoke/",
        views_authoring.revoke_deadline,
        name="revoke-deadline",
    ),
    path("assignments/<int:assignment_id>/offers/", views_offers.offers, name="offers"),
    path("assignments/<int:assignment_id>/submissions/", views_grading.submissions, name="submissions"),
    path("assignments/<int:assignment_id>/grade/<int:enrolment_id>/", views_grading.desk, name="desk"),
    path(
        "assignments/<int:assignment_id>/grade/<int:enrolment_id>/adjust/", views_grading.adjust_member, name="adjust"
    ),
    path(
        "assignments/<int:assignment_id>/grade/<int:enrolment_id>/excuse/", views_grading.excuse_learner, name="excuse"
    ),
    path("assignments/<int:assignment_id>/publish/", views_grading.publish, name="publish"),
    path("assignments/<int:assignment_id>/regrades/", views_grading.regrade, name="start-regrade"),
    path("assignments/<int:assignment_id>/regrades/<int:batch_id>/", views_grading.regrade_batch, name="regrade"),
    path("submissions/<int:submission_id>/", views_work.submission, name="submission"),
    path("submissions/<int:submission_id>/files/<path:path>", views_work.download, name="file"),
    path("receipts/<int:submission_id>/<str:code>/", views_work.receipt, name="receipt"),
]
