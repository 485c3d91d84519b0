"""Files by FTP (RFC 959), over TLS (RFC 4217) unless on a listed private network. No clash rules.

FTP cannot create only if absent and cannot tell a cut upload from a whole one. So the bytes go to a hidden
name beside, their number is compared, it is looked whether the name is free, and they are renamed. Two that
write one name at the same instant may both win. Where the manifest says `rename: false`, or the server
renames nothing, they go to the name itself: then somebody may see half a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

import aioftp

from providers.content import Body
from providers.drivers import MOST_CHOICES, Capabilities, Driver, Found, Receipt, identity_of
from providers.drivers.ftpfaults import of_code
from providers.drivers.ftplines import Line, Lines, dialled
from providers.drivers.ftplists import entries, is_folder, look
from providers.drivers.paths import parent, segments, unfinished
from providers.drivers.steady import steady
from providers.egress import plain_host
from providers.errors import ProviderError, broken_off, moved_on, taken
from providers.reach import Reach
from providers.words import words
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason

PIECE = 256 * 1024


@asynccontextmanager
async def open_driver(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Driver]:
    """One login, checked at once; as many control connections as puts at the same time need one."""
    del options
    async with opened(Ftp, manifest, settings, reach) as driver:
        yield driver


F = TypeVar("F", bound="Ftp")


@asynccontextmanager
async def opened(
    kind: type[F], manifest: Manifest, settings: Mapping[str, Any], reach: Reach
) -> AsyncIterator[F]:
    """What `kind` makes of a login, with all that is FTP's own."""
    host = plain_host(str(settings["host"]))
    lines = Lines(dialled(settings, reach), host, manifest.limits.concurrency)
    try:
        async with lines.lent(reach.http.seconds_for(0)) as line:
            root = str(settings.get("root") or await line.get_current_directory())
        yield kind(manifest, settings, reach, lines, "" if root == "/" else root.rstrip("/"))
    finally:
        await lines.aclose()


class Ftp:
    """The driver; see `providers.drivers.Driver` for what each method promises."""

    def __init__(
        self, manifest: Manifest, settings: Mapping[str, Any], reach: Reach, lines: Lines, root: str
    ) -> None:
        self._lines = lines
        self._root = root
        self._seconds_for = reach.http.seconds_for
        self._host = plain_host(str(settings["host"]))
        self._identity = identity_of(manifest, settings, f"{settings['username']}@{self._host}")
        self.capabilities = Capabilities(
            create_only=False,
            atomic_put=bool(settings.get("rename", True)),
            conditional_replace=False,
            case_sensitive=bool(settings.get("case_sensitive", True)),
            forbidden_characters=str(settings.get("forbidden_characters", "")),
            concurrency=manifest.limits.concurrency,
        )

    async def check(self) -> None:
        """Look at the root; the login was made when the driver was opened."""
        if not await self.folder_exists("/"):
            raise ProviderError("config", Reason.DESTINATION_MISSING, words("no_folder"))

    async def identity(self) -> str:
        """The user's name at the host, or the manifest's pattern."""
        return self._identity

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        """The folders below `parent`: this driver has nothing else to choose."""
        del option
        above = "/" + "/".join(segments(parent or "/"))
        async with self.line() as line:
            there = await entries(line, self.at(above)) or []
        names = sorted(
            (
                each.name
                for each in there
                if each.is_folder and each.name.isprintable() and query.casefold() in each.name.casefold()
            ),
            key=str.casefold,
        )
        stem = above.rstrip("/")
        return [Choice(value=f"{stem}/{name}", label=name) for name in islice(names, MOST_CHOICES)]

    @steady
    async def find(self, path: str) -> Found | None:
        """By MLST, else by SIZE and MDTM, else by a listing of the folder."""
        at = self.at(path)
        async with self.line() as line:
            return await look(line, at)

    async def same_bytes(self, path: str, size: int, sha256: str) -> bool:
        """By reading the file, where it has the size."""
        found = await self.find(path)
        if found is None or found.is_folder or found.size != size:
            return False
        seen, digest = 0, hashlib.sha256()
        async with (
            self.line(size) as line,
            await line.data(f"RETR {self.at(path)}") as stream,
        ):
            while piece := await stream.read(PIECE):
                digest.update(piece)
                seen += len(piece)
                if seen > size:
                    line.close()  # It grows under our eyes.
                    return False
        return seen == size and digest.hexdigest() == sha256.lower()

    @steady
    async def folder_exists(self, path: str) -> bool:
        """By going there."""
        at = self.at(path)
        async with self.line() as line:
            return await is_folder(line, at)

    async def make_folder(self, path: str) -> None:
        """MKD from the lowest folder that is there. Many may do so at once."""
        if await self.folder_exists(path):
            return
        if segments(path):
            await self.make_folder(parent(path))
        try:
            async with self.line() as line:
                await line.command(f"MKD {self.at(path)}", "257")
        except ProviderError:
            if not await self.folder_exists(path):
                raise

    async def put(self, path: str, body: Body) -> Receipt:
        """Write beside, look, rename."""
        at = self.at(path)
        async with self.line(body.size) as line:
            beside = await self._beside(line, path, body)
            if await look(line, at) is not None:
                await _clear(line, beside)
                raise taken()
            if beside is None or not await self._renamed(line, beside, at):
                await self._store(line, path, at, body)
        return Receipt(path, None)

    async def replace(self, path: str, body: Body, version: str | None) -> Receipt:
        """Write beside, look at the version, rename over it; where that is refused, after removing it."""
        at = self.at(path)
        async with self.line(body.size) as line:
            beside = await self._beside(line, path, body)
            found = await look(line, at)
            if found is not None and found.is_folder:
                await _clear(line, beside)
                raise taken()
            if version is not None and (found is None or found.version != version):
                await _clear(line, beside)
                raise moved_on()
            if beside is None or not await self._renamed_over(line, beside, at):
                await self._store(line, path, at, body)
        return Receipt(path, None)

    def line(self, size: int = 0) -> AbstractAsyncContextManager[Line]:
        """A control connection for as long as so many bytes may take."""
        return self._lines.lent(self._seconds_for(size))

    def at(self, path: str) -> str:
        """The path at the server."""
        return "/".join((self._root, *segments(path))) or "/"

    async def _beside(self, line: Line, path: str, body: Body) -> str | None:
        """The whole body under a hidden name; None where it could not be renamed from there."""
        if not self.capabilities.atomic_put:
            return None
        beside = self.at(unfinished(path, body.sha256))
        await self._store(line, path, beside, body)
        return beside

    async def _store(self, line: Line, path: str, at: str, body: Body) -> None:
        """The whole body at a path of the server; what a failed try left there is taken away if possible."""
        try:
            stream = await line.data(f"STOR {at}")
        except aioftp.StatusCodeError as error:
            raise await self._why(line, path, error) from None
        try:
            async with aclosing(body.stream()) as chunks:
                async for chunk in chunks:
                    await stream.write(chunk)
        except ProviderError:  # of the document's own: the server takes what came for a whole file
            stream.close()
            await line.command(None, ("2xx", "4xx", "5xx"))
            await _clear(line, at)
            raise
        except OSError:
            stream.close()
            await line.command(None, "2xx")  # why it hung up
            raise broken_off(self._host) from None
        except BaseException:
            stream.close()
            line.close()
            raise
        try:
            await stream.finish()
        except aioftp.StatusCodeError as error:
            refusal = await self._why(line, path, error)
            await _clear(line, at)
            raise refusal from None
        await self._require_whole(line, path, at, body)

    async def _require_whole(self, line: Line, path: str, at: str, body: Body) -> None:
        """That the server shows all of it. To a mere drop box we would send for ever: it is told apart."""
        try:
            there = await look(line, at)
            if there is None:
                await entries(line, self.at(parent(path)))
        except aioftp.StatusCodeError as refusal:
            await _clear(line, at)
            if str(refusal.received_codes[-1]).startswith("5"):
                raise ProviderError("config", Reason.PERMISSION_MISSING, words("cannot_look")) from None
            raise
        if there is None or there.size != body.size:
            await _clear(line, at)
            raise broken_off(self._host)

    async def _why(self, line: Line, path: str, error: aioftp.StatusCodeError) -> ProviderError:
        """A refusal, told apart from a folder that is not there: servers say 450, 550 or 553 to both."""
        refusal = of_code(error, self._host)
        if refusal.reason in (Reason.PERMISSION_MISSING, Reason.LOCKED) and not await is_folder(
            line, self.at(parent(path))
        ):
            return ProviderError("config", Reason.DESTINATION_MISSING, words("no_folder"))
        return refusal

    async def _renamed(self, line: Line, source: str, target: str) -> bool:
        """False where the server renames nothing: what was written beside is gone again then."""
        code, _ = await line.command(f"RNFR {source}", ("350", "5xx"))
        if not code.matches("350"):
            self.capabilities = replace(self.capabilities, atomic_put=False)
            await _clear(line, source)
            return False
        try:
            await line.command(f"RNTO {target}", "2xx")
        except aioftp.StatusCodeError:
            await _clear(line, source)
            raise
        return True

    async def _renamed_over(self, line: Line, source: str, target: str) -> bool:
        """As `_renamed`; a server that does not rename over a file has it removed first."""
        code, _ = await line.command(f"RNFR {source}", ("350", "5xx"))
        if code.matches("350"):
            code, _ = await line.command(f"RNTO {target}", ("2xx", "5xx"))
            if code.matches("2xx"):
                return True
            await line.command(f"DELE {target}", ("2xx", "5xx"))
        return await self._renamed(line, source, target)


async def _clear(line: Line, at: str | None) -> None:
    """Away with an upload of ours; it is hidden where that fails, and the next try overwrites it."""
    if at is not None:
        await line.command(f"DELE {at}", ("2xx", "4xx", "5xx"))
