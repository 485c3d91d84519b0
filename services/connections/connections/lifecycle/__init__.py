"""PURE: a connection and its login as tables, and deciding by them. No I/O, no clock, no randomness."""
