"""The rules of a job's life: pure functions, no Django, no clock, no I/O."""
