"""Every URL of the campus."""

from django.urls import include, path

from campus.core import views as core_views

urlpatterns = [
    path("healthz", core_views.healthz, name="healthz"),
    path("favicon.ico", core_views.favicon, name="favicon"),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("campus.config.rest_urls")),
    path("node/v1/", include("labs.jobs.node_api.urls")),
    path("", include("campus.core.urls_ui")),
    path("", include("campus.people.urls")),
    path("", include("campus.web.urls")),
    path("", include("courses.catalog.urls")),
    path("", include("courses.content.urls")),
    path("", include("courses.materials.urls")),
    path("", include("courses.timetable.urls")),
    path("", include("courses.attendance.urls")),
    path("", include("courses.assignments.urls")),
    path("", include("courses.gradebook.urls")),
    path("", include("courses.announcements.urls")),
    path("", include("courses.support.urls")),
    path("", include("courses.search.urls")),
    path("", include("labs.environments.urls")),
    path("", include("labs.jobs.urls")),
    path("", include("labs.scheduling.urls")),
    path("", include("labs.quota.urls")),
    path("", include("labs.usage.urls")),
]

handler400 = "campus.core.views.bad_request"
handler403 = "campus.core.views.permission_denied"
handler404 = "campus.core.views.not_found"
handler500 = "campus.core.views.server_error"
