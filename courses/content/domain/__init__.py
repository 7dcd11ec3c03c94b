"""Rules of texts, without Django."""
