"""Read, decide, save: what the parts of this service ask of the store. No Kafka, no Mongo."""
