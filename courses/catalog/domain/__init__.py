"""Rules of enrolment and rosters, without Django."""
