"""Tests of the embedded services and the supervisor, with real processes."""
