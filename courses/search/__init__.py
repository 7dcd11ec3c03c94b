"""Finding lessons, labs, assignments, classes and courses, in Korean and English."""
