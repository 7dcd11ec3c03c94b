"""Pages of the timetable."""

from django.urls import path

from .views import calendars, classes, office, series, settings, week

app_name = "timetable"
urlpatterns = [
    path("timetable/", week.week, name="week"),
    path("timetable/month/", week.month, name="month"),
    path("timetable/office-hours/", office.office_hours, name="office-hours"),
    path("timetable/classes/<int:session_id>/", classes.class_page, name="class"),
    path("timetable/classes/<int:session_id>/edit/", classes.edit, name="edit"),
    path("timetable/classes/<int:session_id>/move/", classes.move, name="move"),
    path("timetable/classes/<int:session_id>/cancel/", classes.cancel, name="cancel"),
    path("timetable/classes/<int:session_id>/end/", classes.end, name="end"),
    path("timetable/classes/<int:session_id>/make-up/", classes.make_up, name="make-up"),
    path("timetable/classes/<int:session_id>/slots/", office.take, name="take-slot"),
    path("timetable/slots/<int:slot_id>/give-up/", office.give_up, name="give-up-slot"),
    path("timetable/series/<int:series_id>/", series.edit, name="series"),
    path("timetable/series/<int:series_id>/end/", series.end, name="end-series"),
    path("timetable/settings/", settings.settings, name="settings"),
    path("timetable/holidays/new/", settings.new_holiday, name="new-holiday"),
    path("timetable/holidays/<int:holiday_id>/remove/", settings.remove, name="remove-holiday"),
    path("timetable/streams/new/", settings.edit_stream, name="new-stream"),
    path("timetable/streams/<int:stream_id>/", settings.edit_stream, name="stream"),
    path("timetable/calendar/", calendars.addresses, name="calendar"),
    path("timetable/calendar/renew/", calendars.renew, name="renew-calendar"),
    path("timetable/calendar/revoke/", calendars.revoke, name="revoke-calendar"),
    path("courses/<slug:slug>/classes/new/", classes.new, name="new"),
    path("courses/<slug:slug>/series/new/", series.new, name="new-series"),
    path("calendar/<str:token>.ics", calendars.feed, name="feed"),
]
