"""Rules of searching, without Django."""
