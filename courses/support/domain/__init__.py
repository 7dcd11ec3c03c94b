"""Rules of support, without Django."""
