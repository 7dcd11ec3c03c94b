"""Every URL of the campus."""

from django.urls import include, path

from campus.core import views as core_views

urlpatterns = [
    path("healthz", core_views.healthz, name="healthz"),
    path("accounts/", include("allauth.urls")),
    path("", include("campus.core.urls_ui")),
    path("", include("campus.people.urls")),
    path("node/v1/", include("labs.jobs.node_api.urls")),
    path("api/v1/", include("campus.config.rest_urls")),
]

handler400 = "campus.core.views.bad_request"
