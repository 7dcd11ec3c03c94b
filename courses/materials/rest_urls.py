"""REST routes of materials, below /api/v1/."""

from django.urls import path

from .rest import Followed, Materials, MaterialView, Watched

urlpatterns = [
    path("courses/<slug:slug>/materials/", Materials.as_view(), name="api-materials"),
    path("courses/<slug:slug>/materials/learners/", Followed.as_view(), name="api-materials-learners"),
    path("materials/<int:material_id>/", MaterialView.as_view(), name="api-material"),
    path("materials/<int:material_id>/versions/<int:number>/watched/", Watched.as_view(), name="api-watched"),
]
