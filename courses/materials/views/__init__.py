"""Pages of materials: reading and watching, files, writing, and following learners."""
