"""The pages of lessons."""

from django.urls import path

from . import arranging_views, versions_views, views, writing_views

app_name = "content"
urlpatterns = [
    path("courses/<slug:slug>/modules/new/", views.new_module, name="new-module"),
    path("courses/<slug:slug>/order/", arranging_views.order, name="order"),
    path("modules/<int:module_id>/move/", arranging_views.move_module_to, name="move-module"),
    path("modules/<int:module_id>/delete/", arranging_views.remove_module, name="delete-module"),
    path("lessons/<int:lesson_id>/move/", arranging_views.move_lesson_to, name="move-lesson"),
    path("lessons/<int:lesson_id>/delete/", arranging_views.remove_lesson, name="delete-lesson"),
    path("modules/<int:module_id>/edit/", views.edit_module, name="edit-module"),
    path("modules/<int:module_id>/lessons/new/", writing_views.new_lesson, name="new-lesson"),
    path("lessons/preview/", writing_views.preview, name="preview"),
    path("lessons/<int:lesson_id>/", views.lesson, name="lesson"),
    path("lessons/<int:lesson_id>/done/", views.done, name="done"),
    path("lessons/<int:lesson_id>/edit/", writing_views.edit_lesson, name="edit-lesson"),
    path("lessons/<int:lesson_id>/files/<str:name>", versions_views.file, name="file"),
    path("lessons/<int:lesson_id>/versions/", versions_views.versions, name="versions"),
    path("lessons/<int:lesson_id>/versions/<int:number>/", versions_views.version, name="version"),
    path("lessons/<int:lesson_id>/versions/<int:number>/show/", versions_views.show, name="show-version"),
    path("lessons/<int:lesson_id>/versions/<int:number>/restore/", versions_views.restore, name="restore-version"),
]
