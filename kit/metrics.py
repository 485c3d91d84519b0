"""Metrics of the plumbing, for Prometheus. Services add their own beside them."""
