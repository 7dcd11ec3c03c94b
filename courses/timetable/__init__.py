"""The timetable: class sessions, their series, holidays, office hours, calendars."""
