"""The demo from beginning to end, against services that run already: a platform, a target, a story."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from joserfc.jwk import KeySet
from rich.console import Console

from kit.broker import Kafka
from paperbus.demo.bus import DemoFailed, listening
from paperbus.demo.imports import INBOX, Imports, lay_down
from paperbus.demo.invoices import Invoice, invoices
from paperbus.demo.mailbox import mailbox
from paperbus.demo.platform import serving, stored
from paperbus.demo.portal import portal
from paperbus.demo.story import OPTIONS, Connecting, Story, differing
from paperbus.demo.target import Target, webdav
from paperbus.demo.telling import brought, ledger

DOCUMENTS, BY_MAIL, BY_FOLDER = 5, 3, 2


@dataclass(frozen=True)
class Stage:
    """The running services, as the demo sees them."""

    kafka: Kafka
    connections_url: str
    sync_runner_url: str
    service_keys: KeySet
    """Public keys of the services, so that the demo's platform lets nobody but sync-runner read its files."""
    token: Callable[[str], str]
    """A fresh access token for an account, role `admin`."""
    providers: Path
    """A folder of manifests that the catalog reads."""


async def show(stage: Stage, console: Console, after: Callable[[str, str], str] | None) -> None:
    """Connect, export, prove it; then stay until cancelled, if `after` says what to try next.

    Args:
        stage: the running services.
        console: where the demo speaks.
        after: called with account and connection; returns what to print before staying. None ends here.

    Raises:
        DemoFailed: one sentence that says what did not work.
    """
    account = f"demo-{uuid4().hex[:6]}"
    today = datetime.now(UTC).date()
    scanned = list(invoices(BY_FOLDER, today, "S"))
    with tempfile.TemporaryDirectory(prefix="paperbus-demo-") as folder:
        lay_down(Path(folder) / "accountant" / INBOX, scanned)
        async with (
            webdav(Path(folder) / "accountant") as target,
            portal(target, stage.providers),
            listening(stage.kafka, account, console) as bus,
            httpx.AsyncClient(timeout=20) as http,
        ):
            made = stored(account, invoices(DOCUMENTS, today), datetime.now(UTC))
            async with serving(made, stage.service_keys, time.time) as origin:
                story = Story(
                    bus, http, stage.connections_url, stage.sync_runner_url, lambda: stage.token(account)
                )
                console.print(_intro(account, target))
                wanted = Connecting("export", "webdav", "Accountant's WebDAV", target.login, OPTIONS)
                connection = await story.connect(wanted)
                await story.hand_over(made, origin)
                await story.export(connection, made)
                console.print(ledger(await story.ledger(connection)))
                if wrong := differing(made, target):
                    raise DemoFailed(f"These did not arrive byte for byte, once: {', '.join(wrong)}.")
                console.print(f"All {len(made)} documents arrived byte for byte, each once.\n")
                await _bring_in(story, target, Path(folder), scanned, console)
                if after is not None:
                    console.print(f"They are in {target.folder}")
                    console.print(after(account, connection))
                    await asyncio.Event().wait()


async def _bring_in(
    story: Story, target: Target, folder: Path, scanned: Sequence[Invoice], console: Console
) -> None:
    """The way in: from a mailbox, and from a folder."""
    mailed = list(invoices(BY_MAIL, datetime.now(UTC).date(), "M"))
    async with mailbox(folder, mailed) as box:
        console.print(
            f"Now the way in: a mailbox (IMAP, port {box.port}) and a folder of the WebDAV account"
            "\nare connected, and what lies there arrives at the platform.\n"
        )
        imports = Imports(story)
        arrived = await imports.from_mailbox(box, mailed)
        arrived += await imports.from_folder(target, scanned)
    console.print(brought(arrived))
    console.print(f"All {len(arrived)} documents came in byte for byte, and were accepted.\n")


def _intro(account: str, target: Target) -> str:
    return (
        f"\nThe platform's customer [bold]{account}[/] connects a WebDAV account at {target.url},"
        f"\nover events alone, and exports {DOCUMENTS} e-invoices made on the spot.\n"
    )
