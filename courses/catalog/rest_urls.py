"""Routes of the courses' REST API, below /api/v1/."""

from django.urls import path

from .rest import Courses

urlpatterns = [path("courses/", Courses.as_view(), name="api-courses")]
