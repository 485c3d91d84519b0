"""The login window: pages where customers answer challenges. It decides nothing about a login."""
