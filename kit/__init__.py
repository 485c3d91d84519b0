"""Plumbing that services share and that knows no domain word."""
