"""Where fetched files are kept: one folder, shared by every data folder of this user."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/paperbus`, or `~/.cache/paperbus`."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if Path(root).is_absolute() else Path.home() / ".cache") / "paperbus"
