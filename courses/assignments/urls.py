"""The pages of labs."""

from django.urls import path

from . import arranging_views, views

app_name = "assignments"
urlpatterns = [
    path("labs/<int:lab_id>/", views.lab, name="lab"),
    path("labs/<int:lab_id>/runs/", views.submit, name="submit"),
    path("labs/<int:lab_id>/edit/", views.edit_lab, name="edit-lab"),
    path("labs/<int:lab_id>/move/", arranging_views.move, name="move-lab"),
    path("labs/<int:lab_id>/delete/", arranging_views.remove, name="delete-lab"),
    path("modules/<int:module_id>/labs/new/", views.new_lab, name="new-lab"),
]
