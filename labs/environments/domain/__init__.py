"""Rules of environments: no Django, no clock, no I/O."""
