"""REST routes of notices, below /api/v1/."""

from django.urls import path

from .rest import NoticeListView, ReadOneView, ReadView
from .rest_choices import ChoicesView

urlpatterns = [
    path("notices/", NoticeListView.as_view(), name="api-notices"),
    path("notices/read/", ReadView.as_view(), name="api-notices-read"),
    path("notices/choices/", ChoicesView.as_view(), name="api-notices-choices"),
    path("notices/<int:notice_id>/read/", ReadOneView.as_view(), name="api-notice-read"),
]
