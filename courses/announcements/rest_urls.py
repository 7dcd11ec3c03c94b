"""REST routes of announcements, below /api/v1/."""

from django.urls import path

from .rest import Announcements, AnnouncementView, MarkRead, Publish, Withdraw

urlpatterns = [
    path("announcements/", Announcements.as_view(), name="api-announcements"),
    path("announcements/<int:announcement_id>/", AnnouncementView.as_view(), name="api-announcement"),
    path("announcements/<int:announcement_id>/read/", MarkRead.as_view(), name="api-announcement-read"),
    path("announcements/<int:announcement_id>/publish/", Publish.as_view(), name="api-announcement-publish"),
    path("announcements/<int:announcement_id>/withdraw/", Withdraw.as_view(), name="api-announcement-withdraw"),
]
