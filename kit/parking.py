"""Parked events: what must wait, kept in Mongo in offset order per key. It releases nothing by itself."""
