"""Announcements: what staff tell a cohort, a run, a campus or everybody, now or at a time they chose."""
