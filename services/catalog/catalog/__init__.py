"""Which providers exist; search; suggestions."""
