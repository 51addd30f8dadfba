"""Remove what has expired, in batches. Readers never see it, so this only frees the room."""
