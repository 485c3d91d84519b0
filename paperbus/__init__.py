"""The command, and the embedded servers."""
