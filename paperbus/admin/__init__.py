"""What `paperbus admin` does, on the services' databases and topics. It parses no options."""
