"""A whole body into one open file by SFTP, a few pieces on their way while the next is read."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing

import asyncssh

from providers.content import Body

PIECE = 1024 * 1024
"""Bytes that are read or written at once, in parallel requests."""
PIECES = 2
"""So many are on their way: the server has the next one when it says that it has the first."""
BLOCK = 32 * 1024
"""Bytes of one request to write (draft-ietf-secsh-filexfer-02 §3): what every server takes; some say more."""


async def write_all(file: asyncssh.SFTPClientFile, body: Body) -> None:
    """Every byte of `body`, from the file's beginning.

    Raises:
        asyncssh.SFTPError, ProviderError: the server's, or the body's own; nothing is on its way any more.
    """
    waiting, at = bytearray(), 0
    sending: deque[asyncio.Future[int]] = deque()
    try:
        async with aclosing(body.stream()) as chunks:
            async for chunk in chunks:
                waiting += chunk
                if len(waiting) < PIECE:
                    continue
                if len(sending) == PIECES:
                    await sending.popleft()
                sending.append(asyncio.ensure_future(file.write(bytes(waiting), at)))
                at += len(waiting)
                waiting.clear()
        while sending:
            await sending.popleft()
    except BaseException:
        for each in sending:
            each.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        raise
    if waiting:
        await file.write(bytes(waiting), at)
