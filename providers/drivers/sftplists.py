"""What an SFTP server can do, and what its listings say. It writes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncssh
from asyncssh.constants import FILEXFER_TYPE_DIRECTORY


async def knows_links(sftp: asyncssh.SFTPClient, root: str | bytes) -> bool:
    """Whether the server makes hard links: asked with a name that does not exist, so nothing is written."""
    stem = root if isinstance(root, str) else root.decode()
    try:
        await sftp.link(f"{stem}/.paperbus-no-such-file", f"{stem}/.paperbus-no-such-link")
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return True
    except asyncssh.SFTPError:
        return False
    return False


async def first(entries: AsyncIterator[Any], most: int) -> AsyncIterator[Any]:
    count = 0
    async for entry in entries:
        yield entry
        count += 1
        if count >= most:
            return


def folder_name(entry: Any) -> str | None:
    """The name of a folder that can be shown and sent back; None for all else."""
    name = (
        entry.filename
        if isinstance(entry.filename, str)
        else entry.filename.decode("utf-8", "surrogateescape")
    )
    if name in (".", "..") or entry.attrs.type != FILEXFER_TYPE_DIRECTORY or not name.isprintable():
        return None
    return str(name)
