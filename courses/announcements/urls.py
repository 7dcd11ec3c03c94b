"""Routes of announcements."""

from django.urls import path

from . import views

app_name = "announcements"
urlpatterns = [
    path("announcements/", views.announcements, name="list"),
    path("announcements/new/", views.new, name="new"),
    path("announcements/<int:announcement_id>/", views.announcement, name="announcement"),
    path("announcements/<int:announcement_id>/edit/", views.edit, name="edit"),
    path("announcements/<int:announcement_id>/publish/", views.publish_one, name="publish"),
    path("announcements/<int:announcement_id>/withdraw/", views.withdraw_one, name="withdraw"),
]
