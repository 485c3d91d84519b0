"""What an e-invoice says of itself, in terms of EN 16931: read in a process of its own, with limits."""
