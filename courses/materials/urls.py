"""The pages of materials."""

from django.urls import path

from .views import files, following, reading, watching, writing

app_name = "materials"
urlpatterns = [
    path("modules/<int:module_id>/materials/new/", writing.choose, name="choose"),
    path("modules/<int:module_id>/materials/new/<slug:kind>/", writing.new, name="new"),
    path("materials/<int:material_id>/", reading.material, name="material"),
    path("materials/<int:material_id>/edit/", writing.edit, name="edit"),
    path("materials/<int:material_id>/captions/", writing.captions, name="captions"),
    path("materials/<int:material_id>/captions/<slug:language>/remove/", writing.drop_captions, name="drop-captions"),
    path("materials/<int:material_id>/chapters/", writing.chapters, name="chapters"),
    path("materials/<int:material_id>/move/", writing.move, name="move-material"),
    path("materials/<int:material_id>/delete/", writing.remove, name="delete-material"),
    path("materials/<int:material_id>/versions/<int:number>/file/", files.file, name="file"),
    path("materials/<int:material_id>/versions/<int:number>/<slug:language>.vtt", files.captions, name="vtt"),
    path("materials/<int:material_id>/versions/<int:number>/watched/", watching.watched, name="watched"),
    path("materials/<int:material_id>/learners/<int:enrolment_id>/", following.learner, name="learner"),
    path("courses/<slug:slug>/materials/", following.run, name="run"),
    path("courses/<slug:slug>/materials.csv", following.export, name="export"),
    path("courses/<slug:slug>/materials/rule/", following.rule, name="rule"),
]
