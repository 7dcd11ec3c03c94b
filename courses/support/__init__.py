"""Who may need help: signals with their evidence, for the staff of a cohort, who decide."""
