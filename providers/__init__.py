"""How the outside is reached: manifests, drivers, logins. No Kafka, no Mongo."""
