"""The demo campus: believable, deterministic, and made by the same services as a real one.

People, dates relative to the day of seeding, and a week of lab activity that was really run once (`history.json`
holds what those runs printed). Nothing here is imported by the campus itself.
"""
