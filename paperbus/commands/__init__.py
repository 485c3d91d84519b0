"""The calls of the command: options in, text out. What they do is elsewhere."""
