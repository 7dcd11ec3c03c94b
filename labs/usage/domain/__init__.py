"""The arithmetic of usage reports: pure functions."""
