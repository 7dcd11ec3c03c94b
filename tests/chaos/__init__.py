"""A whole running campus, and what of it survives being killed."""
