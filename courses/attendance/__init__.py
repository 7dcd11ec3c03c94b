"""Attendance: evidence, the verdicts that rules draw from it, and what people do about them."""
