"""PostgreSQL, Redis and a supervisor for one machine: the demo, development and the tests."""
