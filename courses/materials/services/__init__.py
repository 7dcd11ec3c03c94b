"""What changes materials: writing them, their captions, and what learners watch and open."""
