"""What changes attendance. Each is one transaction; errors are `campus.core.errors`."""
