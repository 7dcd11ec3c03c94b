"""A person's own page."""

from django.urls import path

from . import views

app_name = "people"
urlpatterns = [
    path("me/", views.profile, name="profile"),
    path("me/tokens/", views.create_token, name="create-token"),
    path("me/tokens/<slug:token_key>/revoke/", views.revoke_token, name="revoke-token"),
]
