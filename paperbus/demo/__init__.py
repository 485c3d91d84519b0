"""The demo: a platform of its own that connects an account and exports e-invoices, over events alone."""
