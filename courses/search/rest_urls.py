"""REST routes of searching, below /api/v1/."""

from django.urls import path

from .rest import SearchView

urlpatterns = [path("search/", SearchView.as_view(), name="api-search")]
