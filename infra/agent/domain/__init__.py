"""The agent's rules on plain values: no clock, no network, no files."""
