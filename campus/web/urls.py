"""Pages that combine several apps."""

from django.urls import path

from .views import campuses, cohorts, home, people, pool

app_name = "web"
urlpatterns = [
    path("", home.home, name="home"),
    path("cohorts/", cohorts.cohorts, name="cohorts"),
    path("cohorts/<int:cohort_id>/", cohorts.cohort, name="cohort-board"),
    path("pool/", pool.pool, name="pool"),
    path("pool/nodes/new/", pool.new_node, name="new-node"),
    path("pool/nodes/<slug:name>/", pool.node, name="node"),
    path("pool/nodes/<slug:name>/drain/", pool.drain, name="drain-node"),
    path("pool/nodes/<slug:name>/resume/", pool.resume, name="resume-node"),
    path("pool/nodes/<slug:name>/token/", pool.renew_token, name="renew-token"),
    path("campuses/", campuses.campuses, name="campuses"),
    path("campuses/new/", campuses.new_campus, name="new-campus"),
    path("campuses/<slug:slug>/", campuses.campus, name="campus"),
    path("campuses/<slug:slug>/edit/", campuses.edit_campus, name="edit-campus"),
    path("campuses/<slug:slug>/buildings/", campuses.new_building, name="new-building"),
    path("campuses/<slug:slug>/buildings/<int:building_id>/rooms/", campuses.new_room, name="new-room"),
    path("campuses/<slug:slug>/rooms/<int:room_id>/", campuses.edit_room, name="edit-room"),
    path("people/", people.people, name="people"),
    path("people/appoint/", people.appoint, name="appoint"),
    path("people/<int:user_id>/", people.person, name="person"),
    path("people/<int:user_id>/roles/<int:grant_id>/revoke/", people.revoke, name="revoke-role"),
    path("people/<int:user_id>/activation/", people.activation, name="activation"),
    path("audit/", people.audit, name="audit"),
]
