"""Tests of lessons: release, versions, files; and of copying a run."""
