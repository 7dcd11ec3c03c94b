"""Pages that combine several apps."""

from django.urls import path

from .views import campuses, people

app_name = "web"
urlpatterns = [
    path("campuses/", campuses.campuses, name="campuses"),
    path("campuses/new/", campuses.new_campus, name="new-campus"),
    path("campuses/<slug:slug>/", campuses.campus, name="campus"),
    path("campuses/<slug:slug>/edit/", campuses.edit_campus, name="edit-campus"),
    path("campuses/<slug:slug>/buildings/", campuses.new_building, name="new-building"),
    path("campuses/<slug:slug>/buildings/<int:building_id>/rooms/", campuses.new_room, name="new-room"),
    path("campuses/<slug:slug>/rooms/<int:room_id>/", campuses.edit_room, name="edit-room"),
    path("people/", people.people, name="people"),
    path("people/<int:user_id>/", people.person, name="person"),
    path("people/<int:user_id>/roles/<int:grant_id>/revoke/", people.revoke, name="revoke-role"),
    path("people/<int:user_id>/activation/", people.activation, name="activation"),
    path("audit/", people.audit, name="audit"),
]
