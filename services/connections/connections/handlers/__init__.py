"""Read, decide, save. What is decided stands in `lifecycle`; the outside is behind `ports`."""
