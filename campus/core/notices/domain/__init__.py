"""Rules of notices without Django, clock or I/O: phone numbers, and the codes that prove them."""
