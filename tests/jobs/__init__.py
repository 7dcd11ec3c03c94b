"""Tests of a job's life on the server."""
