"""The gradebook's pages: the grid, its columns, rows, files, finals, and what a learner sees."""
