"""The gradebook: categories, items, cells, finals, and what was asked about them."""
