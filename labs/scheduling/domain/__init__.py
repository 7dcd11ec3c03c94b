"""The scheduler's mind: pure rules, no Django, no clock, no I/O; NumPy and the standard library."""
