"""What follows from what: schedule, run, ledger row. Pure: no I/O, no clock, no randomness."""
