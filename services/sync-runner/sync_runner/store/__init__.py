"""Mongo: documents, syncs, ledger. Every query is in this folder, beside the index that it needs."""
