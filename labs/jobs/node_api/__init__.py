"""The node API: what the pool's nodes say and ask, each with its own token. No session, no CSRF, no database access."""
