"""Tests of courses.announcements."""
