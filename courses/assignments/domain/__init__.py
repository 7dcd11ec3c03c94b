"""Rules of lab progress, without Django."""
