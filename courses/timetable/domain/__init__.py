"""Rules of the timetable: recurrence, clashes, free slots. Pure."""
