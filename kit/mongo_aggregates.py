"""Aggregates in MongoDB: reading by id, and one guarded `bulk_write` for a batch."""
