"""Rules of attendance: no Django, no clock, no I/O."""
