"""The embedded MongoDB and Kafka."""
