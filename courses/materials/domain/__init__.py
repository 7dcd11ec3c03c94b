"""Rules of materials: watched intervals, captions, chapters, notebooks, file kinds, byte ranges."""
