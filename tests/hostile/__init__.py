"""Bad input through the real HTTP surface: a clear error that names the field and the fix, and nothing is lost."""
