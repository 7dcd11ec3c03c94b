"""Tests of courses.support."""
