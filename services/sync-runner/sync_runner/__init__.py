"""When and what moves: schedule, runs, ledger, documents."""
