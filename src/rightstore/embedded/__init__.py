"""The embedded stack: PostgreSQL, Redis and a document server from wheels, below one folder."""
