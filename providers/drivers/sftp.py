"""Files by SFTP. The host's key is the one that the customer confirmed, or nothing is sent. No clash rules.

Bytes go to a hidden name beside and are then linked to their own, which never overwrites. Where the server
knows no links it is looked first, and the standard's rename (which must not overwrite either) is used. A host
that shows another key is refused as `certificate_invalid`, kind `auth`: the customer logs in again and
confirms the new one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from itertools import islice
from typing import Any, TypeVar, cast

import asyncssh
from asyncssh.constants import FILEXFER_TYPE_DIRECTORY

from providers.content import Body
from providers.drivers import A_FOLDER, MOST_CHOICES, Capabilities, Driver, Found, Receipt, identity_of
from providers.drivers.paths import parent, segments, unfinished
from providers.drivers.sftpfaults import faults, no_space
from providers.drivers.sftplists import first, folder_name, knows_links
from providers.drivers.sftpwriting import BLOCK, PIECE, write_all
from providers.drivers.ssh import address, connected, introduce
from providers.drivers.steady import steady
from providers.errors import ProviderError, moved_on, taken
from providers.reach import Reach
from providers.words import words
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason

__all__ = ["introduce", "open_driver"]

SCANNED = 10_000
"""A folder with more entries than these is only looked at in part for choices."""


@asynccontextmanager
async def open_driver(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Driver]:
    """One SFTP session on one SSH connection, for as long as the block runs; needs no options."""
    del options
    async with opened(Sftp, manifest, settings, reach) as driver:
        yield driver


S = TypeVar("S", bound="Sftp")


@asynccontextmanager
async def opened(
    kind: type[S], manifest: Manifest, settings: Mapping[str, Any], reach: Reach
) -> AsyncIterator[S]:
    """What `kind` makes of a login, with all that is SFTP's own."""
    host, _ = address(settings)
    async with await connected(settings, reach) as ssh:

        def in_time(size: int) -> AbstractContextManager[None]:
            return _in_time(ssh, host, reach.http.seconds_for(size))

        with in_time(0):
            sftp = await ssh.start_sftp_client(path_encoding="utf-8", path_errors="surrogateescape")
            root = await sftp.realpath(str(settings.get("root", ".")))
            links = await knows_links(sftp, root)
        capabilities = Capabilities(
            create_only=links,
            atomic_put=True,
            conditional_replace=False,
            case_sensitive=bool(settings.get("case_sensitive", True)),
            forbidden_characters=str(settings.get("forbidden_characters", "")),
            concurrency=manifest.limits.concurrency,
        )
        identity = identity_of(manifest, settings, f"{settings['username']}@{host}")
        yield kind(sftp, root, identity, capabilities, in_time)


class Sftp:
    """The driver; see `providers.drivers.Driver` for what each method promises."""

    def __init__(
        self,
        sftp: asyncssh.SFTPClient,
        root: str | bytes,
        identity: str,
        capabilities: Capabilities,
        in_time: Callable[[int], AbstractContextManager[None]],
    ) -> None:
        self._sftp = sftp
        self._root = (root if isinstance(root, str) else root.decode()).rstrip("/")
        self._identity = identity
        self._in_time = in_time
        self.capabilities = capabilities

    async def check(self) -> None:
        """Look at the root; the login was made when the session was opened."""
        if not await self.folder_exists("/"):
            raise ProviderError("config", Reason.DESTINATION_MISSING, words("no_folder"))

    async def identity(self) -> str:
        """The user's name at the host, or the manifest's pattern."""
        return self._identity

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        """The folders below `parent`: this driver has nothing else to choose."""
        del option
        above = "/" + "/".join(segments(parent or "/"))
        try:
            with self._in_time(0):
                seen = [entry async for entry in first(self._sftp.scandir(self._at(above)), SCANNED)]
        except ProviderError as error:
            if error.reason is Reason.DESTINATION_MISSING:
                return []
            raise
        names = sorted(
            (name for entry in seen if (name := folder_name(entry)) and query.casefold() in name.casefold()),
            key=str.casefold,
        )
        return [
            Choice(value=f"{above.rstrip('/')}/{name}", label=name) for name in islice(names, MOST_CHOICES)
        ]

    @steady
    async def find(self, path: str) -> Found | None:
        """By `stat`; the version is made of time and size, as the server keeps nothing better."""
        attributes = await self._stat(path)
        if attributes is None:
            return None
        if attributes.type == FILEXFER_TYPE_DIRECTORY:
            return A_FOLDER
        return Found(attributes.size or 0, None, f"{attributes.mtime}-{attributes.size}")

    async def same_bytes(self, path: str, size: int, sha256: str) -> bool:
        """By reading the file, where it has the size."""
        found = await self.find(path)
        if found is None or found.is_folder or found.size != size:
            return False
        seen, digest = 0, hashlib.sha256()
        with self._in_time(size):
            async with self._sftp.open(self._at(path), "rb") as file:
                while seen <= size and (piece := cast(bytes, await file.read(PIECE))):
                    digest.update(piece)
                    seen += len(piece)
        return digest.hexdigest() == sha256.lower()

    @steady
    async def folder_exists(self, path: str) -> bool:
        """By `stat`."""
        attributes = await self._stat(path)
        return attributes is not None and attributes.type == FILEXFER_TYPE_DIRECTORY

    async def make_folder(self, path: str) -> None:
        """`mkdir` from the lowest folder that is there. Many may do so at once."""
        if await self.folder_exists(path):
            return
        await self.make_folder(parent(path))
        try:
            with self._in_time(0):
                await self._sftp.mkdir(self._at(path))
        except ProviderError:
            if not await self.folder_exists(path):
                raise

    async def put(self, path: str, body: Body) -> Receipt:
        """Write beside, then link to the name."""
        beside = await self._beside(path, body)
        try:
            with self._in_time(0):
                await self._publish(beside, self._at(path))
        except ProviderError as error:
            if error.later:
                raise
            is_there = await self._stat(path) is not None
            await self._clear(beside)
            raise taken() if is_there else error from None
        await self._require_whole(path, body.size)
        return Receipt(path, None)

    async def replace(self, path: str, body: Body, version: str | None) -> Receipt:
        """Write beside, look at the version, rename over it."""
        beside = await self._beside(path, body)
        found = await self.find(path)
        if found is not None and found.is_folder:
            await self._clear(beside)
            raise taken()
        if version is not None and (found is None or found.version != version):
            await self._clear(beside)
            raise moved_on()
        with self._in_time(0):
            try:
                await self._sftp.posix_rename(beside, self._at(path))
            except asyncssh.SFTPOpUnsupported:
                if found is not None:
                    await self._sftp.remove(self._at(path))
                await self._sftp.rename(beside, self._at(path))
        return Receipt(path, None)

    async def _require_whole(self, path: str, size: int) -> None:
        """What an earlier try sent may arrive late, and empty the file beside while it gets its name.

        A file that is gone was whole: somebody who waits for files took it.
        """
        found = await self._stat(path)
        if found is not None and found.size != size:
            await self._clear(self._at(path))
            raise ProviderError("transient", Reason.PROVIDER_DOWN, words("not_kept"))

    async def _beside(self, path: str, body: Body) -> str:
        """The whole body under a hidden name, whose address on the server is returned."""
        beside = self._at(unfinished(path, body.sha256))
        with self._in_time(body.size):
            file = await self._fresh(beside)
            try:
                async with file:
                    await write_all(file, body)
            except asyncssh.SFTPFailure:
                await self._clear(beside)
                raise no_space() from None
            except ProviderError as error:
                if not error.later or error.reason is Reason.CONTENT_UNAVAILABLE:
                    await self._clear(beside)
                raise
        return beside

    async def _fresh(self, beside: str) -> asyncssh.SFTPClientFile:
        """A new file, never what an earlier try left: what that one sent may still arrive, and spoil ours.

        Servers without links are often no file systems and do not heed `EXCL`.
        """
        if not self.capabilities.create_only:
            await self._gone(beside)
        flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_EXCL
        block = max(BLOCK, self._sftp.limits.max_write_len)
        try:
            return await self._sftp.open(beside, flags, encoding=None, block_size=block)
        except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
            await self._gone(beside)
        return await self._sftp.open(beside, flags, encoding=None, block_size=block)

    async def _gone(self, beside: str) -> None:
        with suppress(asyncssh.SFTPNoSuchFile):
            await self._sftp.remove(beside)

    async def _publish(self, beside: str, at: str) -> None:
        """Give the file its name, which nothing may have yet."""
        if self.capabilities.create_only:
            await self._sftp.link(beside, at)
            await self._sftp.remove(beside)
        elif await self._sftp.lexists(at):
            raise taken()
        else:
            await self._sftp.rename(beside, at)

    async def _stat(self, path: str) -> asyncssh.SFTPAttrs | None:
        with self._in_time(0):
            try:
                return await self._sftp.stat(self._at(path))
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory):
                return None

    async def _clear(self, beside: str) -> None:
        try:
            with self._in_time(0):
                await self._sftp.remove(beside)
        except ProviderError:
            return  # It stays hidden, and the next try overwrites it.

    def _at(self, path: str) -> str:
        return "/".join((self._root, *segments(path))) or "/"


@contextmanager
def _in_time(ssh: asyncssh.SSHClientConnection, host: str, seconds: float) -> Iterator[None]:
    """Hang up on a server that keeps the line but does not answer: all that waits for it ends at once.

    To cancel would not do: closing a file waits for an answer too.
    """
    hang_up = asyncio.get_running_loop().call_later(seconds, ssh.abort)
    try:
        with faults(host):
            yield
    finally:
        hang_up.cancel()
