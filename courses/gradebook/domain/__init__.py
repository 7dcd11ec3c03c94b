"""The gradebook's rules: no Django, no clock, exact decimals."""
