"""Metrics of the plumbing, for Prometheus. Services add their own beside them."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

HEARD = Counter(
    "paperbus_events_heard_total", "Events read, by how their handling ended.", ("topic", "ending")
)
BATCHES = Histogram("paperbus_batch_seconds", "Time to handle one batch of events.", ("topic",))
TROUBLE = Counter(
    "paperbus_trouble_total", "Batches that our own store or broker kept from ending.", ("topic",)
)
BUGS = Counter("paperbus_bugs_total", "Events that a handler failed on unexpectedly.", ("topic",))
RELAYED = Counter("paperbus_events_relayed_total", "Owed events published.", ("collection", "type"))
OWED_SINCE = Gauge(
    "paperbus_owed_since_seconds", "Unix time of the oldest event owed; 0 where none is.", ("collection",)
)
PARKED = Gauge("paperbus_parked", "Events that wait, of all replicas together.", ("service",))
ASIDE = Gauge("paperbus_relay_aside", "Things whose owed events Kafka refuses to take.", ("collection",))
LEASED = Gauge("paperbus_leases", "Leases held.", ("group",))
