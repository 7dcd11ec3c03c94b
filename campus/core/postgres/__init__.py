"""Django's PostgreSQL backend as we use it: PostgreSQL plans a query once a connection (docs/decisions/0008)."""
