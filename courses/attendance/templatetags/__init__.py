"""Tags of the attendance pages."""
