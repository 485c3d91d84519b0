"""FTP's ways of saying what is there: MLST and MLSD (RFC 3659), and LIST as Unix and Windows print it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.drivers import A_FOLDER, Found
from providers.drivers.ftplines import Line
from providers.drivers.reading import crowded

SCANNED = 100_000
"""A folder with more entries than these is not looked at: no part of it may pass for the whole."""
LINE_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Listed:
    """One thing in a folder. `modified` is YYYYMMDDhhmmss in UTC, empty where the server says nothing."""

    name: str
    is_folder: bool
    size: int
    modified: str

    @property
    def found(self) -> Found:
        """As drivers tell it; the version is made of time and size, as FTP keeps nothing better."""
        return A_FOLDER if self.is_folder else Found(self.size, None, f"{self.modified}-{self.size}")


async def look(line: Line, at: str) -> Found | None:
    """What is at a path of the server, or None where nothing is."""
    if "MLST" in line.features:
        code, lines = await line.command(f"MLST {at}", ("250", "550", "553"))
        if not code.matches("250") or len(lines) < 2:
            return None
        entry = _facts(lines[1].strip())
        return entry.found if entry else None
    code, lines = await line.command(f"SIZE {at}", ("213", "5xx"))
    if code.matches("213"):
        size = int(lines[-1].strip())
        modified_at = await modified(line, at)
        return Listed("", is_folder=False, size=size, modified=modified_at).found
    if await is_folder(line, at):
        return A_FOLDER
    if "SIZE" in line.features and not code.matches("50x"):
        return None
    folder, _, name = at.rpartition("/")
    there = await entries(line, folder or "/")
    return next((entry.found for entry in there or () if entry.name == name), None)


async def modified(line: Line, at: str) -> str:
    """When a file was last written, YYYYMMDDhhmmss in UTC (RFC 3659 §3); empty where nobody says."""
    code, lines = await line.command(f"MDTM {at}", ("213", "5xx"))
    return lines[-1].strip().partition(".")[0] if code.matches("213") else ""


async def is_folder(line: Line, at: str) -> bool:
    """Whether one can go there. Every other path is absolute, so that it does not matter where one is."""
    code, _ = await line.command(f"CWD {at}", ("2xx", "5xx"))
    return bool(code.matches("2xx"))


async def entries(line: Line, at: str) -> list[Listed] | None:
    """What is in the folder `at`; None where there is no such folder.

    Raises:
        ProviderError: there is more in it than `SCANNED`.
    """
    if not await is_folder(line, at):
        return None
    told = "MLSD" if {"MLST", "MLSD"} & line.features else "LIST -a"
    parse = _facts if told == "MLSD" else lambda text: _printed(line, text)
    found: list[Listed] = []
    async with await line.data(told) as stream:
        while (raw := await stream.readline()) and len(found) < SCANNED:
            entry = parse(raw[:LINE_BYTES].decode("utf-8", "surrogateescape").rstrip("\r\n"))
            if entry is not None and entry.name not in (".", ".."):
                found.append(entry)
        if raw:
            line.close()  # There is more, and no polite way to stop it.
            raise crowded(SCANNED)
    return found


def _facts(text: str) -> Listed | None:
    """`type=file;size=5;modify=20261122101500; a.pdf` (RFC 3659 §7.2); the folder itself is no entry."""
    said, _, name = text.partition(" ")
    facts = {key.lower(): value for key, _, value in (fact.partition("=") for fact in said.split(";"))}
    kind = facts.get("type", "").lower()
    if kind not in ("file", "dir", "cdir", "pdir"):
        return None
    return _entry(name.rpartition("/")[2], facts, is_folder=kind != "file")


def _printed(line: Line, text: str) -> Listed | None:
    try:
        path, facts = line.parse_list_line(text.encode("utf-8", "surrogateescape"))
    except (ValueError, UnicodeDecodeError):
        return None  # `total 12`, or something nobody knows
    if facts["type"] not in ("file", "dir"):
        return None
    return _entry(str(path), facts, is_folder=facts["type"] == "dir")


def _entry(name: str, facts: Mapping[str, Any], *, is_folder: bool) -> Listed:
    size = str(facts.get("size", ""))
    modified = str(facts.get("modify", "")).partition(".")[0]
    return Listed(name, is_folder, int(size) if size.isdecimal() else 0, modified)
