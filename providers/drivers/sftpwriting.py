"""A whole body into one open file by SFTP, one piece on its way while the next is read."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import asyncssh

from providers.content import Body

PIECE = 1024 * 1024
"""Bytes that are read or written at once, in parallel requests."""
BLOCK = 32 * 1024
"""Bytes of one request to write (draft-ietf-secsh-filexfer-02 §3): what every server takes; some say more."""


async def write_all(file: asyncssh.SFTPClientFile, body: Body) -> None:
    """Every byte of `body`, from the file's beginning.

    Raises:
        asyncssh.SFTPError, ProviderError: the server's, or the body's own; nothing is on its way any more.
    """
    waiting, at = bytearray(), 0
    sending: asyncio.Future[int] | None = None
    try:
        async with aclosing(body.stream()) as chunks:
            async for chunk in chunks:
                waiting += chunk
                if len(waiting) < PIECE:
                    continue
                if sending is not None:
                    await sending
                sending = asyncio.ensure_future(file.write(bytes(waiting), at))
                at += len(waiting)
                waiting.clear()
        if sending is not None:
            await sending
    except BaseException:
        if sending is not None:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        raise
    if waiting:
        await file.write(bytes(waiting), at)
