"""The vocabulary: envelope, topics, events, fields, schedules, manifests. pydantic only."""
