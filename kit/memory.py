"""Aggregates in memory, for tests: the same promise as the Mongo store, held by the same contract suite."""
