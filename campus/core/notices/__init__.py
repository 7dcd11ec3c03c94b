"""Notices: telling a person something, on their page, by a count in the top bar, and by e-mail where the kind asks."""
