"""Every REST route, below /api/v1/."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    path("", include("campus.core.notices.rest_urls")),
    path("", include("campus.people.rest_urls")),
    path("", include("courses.catalog.rest_urls")),
    path("", include("courses.materials.rest_urls")),
    path("", include("courses.announcements.rest_urls")),
    path("", include("courses.timetable.rest_urls")),
    path("", include("courses.attendance.rest_urls")),
    path("", include("courses.assignments.rest_urls")),
    path("", include("courses.gradebook.rest_urls")),
    path("", include("courses.support.rest_urls")),
    path("", include("courses.search.rest_urls")),
    path("", include("campus.web.rest_urls")),
    path("", include("labs.jobs.rest_urls")),
    path("", include("labs.scheduling.rest_urls")),
    path("", include("labs.environments.rest_urls")),
    path("", include("labs.quota.rest_urls")),
    path("", include("labs.usage.rest_urls")),
]
