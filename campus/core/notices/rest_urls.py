"""REST routes of notices, below /api/v1/."""

from django.urls import path

from .rest import NoticeListView, ReadView

urlpatterns = [
    path("notices/", NoticeListView.as_view(), name="api-notices"),
    path("notices/read/", ReadView.as_view(), name="api-notices-read"),
]
