"""Writes the published contract into `schemas/published/` (`make docs`); a test says when it is stale."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from schemas.asyncapi import published

FOLDER = Path(__file__).resolve().parent.parent / "schemas" / "published"


def main() -> None:
    """Write every file, and remove those of events that are no more."""
    files = published(version("paperbus"))
    for path in FOLDER.rglob("*.json"):
        if path.relative_to(FOLDER).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
