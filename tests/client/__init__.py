"""The command `campus`: its words by table, its commands against the real campus."""
