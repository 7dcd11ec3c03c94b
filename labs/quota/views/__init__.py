"""The pages of quota."""
