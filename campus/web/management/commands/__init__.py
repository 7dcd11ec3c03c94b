"""Commands of the demo campus."""
