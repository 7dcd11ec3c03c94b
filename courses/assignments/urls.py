"""The pages of labs."""

from django.urls import path

from . import views

app_name = "assignments"
urlpatterns = [
    path("labs/<int:lab_id>/", views.lab, name="lab"),
    path("labs/<int:lab_id>/runs/", views.submit, name="submit"),
    path("labs/<int:lab_id>/edit/", views.edit_lab, name="edit-lab"),
    path("modules/<int:module_id>/labs/new/", views.new_lab, name="new-lab"),
]
