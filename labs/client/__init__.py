"""The command `campus`: jobs, logs, artifacts and usage from a terminal, over the REST API. No Django here."""
