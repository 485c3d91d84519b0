"""What ends a command: a sentence for whoever typed it."""


class Stopped(Exception):
    """The command cannot go on. The text says why and what to do next, and holds no secret."""
