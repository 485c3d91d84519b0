"""`make screenshots`: the pictures of the README, taken from the running platform, light and dark.

Each is looked at before it is committed. Nothing is made up: accounts, runs and a trouble are real.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import httpx
from PIL import Image
from playwright.async_api import Page, ViewportSize
from running import Json
from targets import rclone_s3, rclone_webdav

from tests.console.stage import Stage, staged
from tests.console.walking import Scheme, Walk, walking
from tests.window.browsing import chromium

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZE: ViewportSize = {"width": 1120, "height": 700}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
COLOURS = 128
"""Flat colours: a palette halves the file and nobody sees it."""


def prepared(stage: Stage, folder: Path) -> dict[str, str]:
    """Three accounts: one that works, one whose folder went away, one that is paused."""
    stage.account("Boulangerie Martin")
    (folder / "buckets" / "archive").mkdir(parents=True)
    monthly = {"at": "06:00", "on": [1], "timezone": "Europe/Paris"}
    with rclone_webdav(folder / "nas") as nas, rclone_s3(folder / "buckets") as buckets:
        archive = stage.connect("Yearly archive", buckets, "archive", schedule=monthly)
        ids = {"accountant": stage.connect("Accountant’s cloud"), "broken": stage.connect("Office NAS", nas)}
        documents = stage.documents(11)
        for id_ in (ids["accountant"], archive, ids["broken"]):
            stage.outsider.due(id_)
            stage.outsider.exported(id_, documents, 180)
            all_done(stage, id_, len(documents))
        stage.outsider.ask("ConnectionPauseRequested", connection_id=archive)
        httpx.delete(f"{nas.url}Invoices", auth=(nas.username, nas.password)).raise_for_status()
        stage.documents(2)
        stage.outsider.due(ids["broken"])
        stage.outsider.wait("ConnectionNeedsAttention", ids["broken"], seconds=120)
    return ids


def all_done(stage: Stage, connection: str, number: int) -> None:
    """Wait for documents that failed at first: a paused connection would keep them open on the picture."""
    url = f"{stage.services.url('sync-runner')}/v1/connections/{connection}"
    deadline = time.monotonic() + 600
    while stage.outsider.get(url).json()["counts"]["done"] < number:
        assert time.monotonic() < deadline, f"not all of {number} documents of {connection} are done"
        time.sleep(1)


async def shoot(page: Page, name: str, scheme: str) -> None:
    path = FOLDER / f"{name}-{scheme}.png"
    await page.wait_for_timeout(600)
    await page.screenshot(path=path)
    with Image.open(path) as taken:
        taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


async def pictures(stage: Stage, ids: Json, walk: Walk) -> None:
    """The list, the search, the options before the save, an account's page."""
    page, scheme = walk.page, walk.scheme
    await walk.enter(stage.link())
    await page.wait_for_selector(".accounts")
    await shoot(page, "list", scheme)
    await page.goto(f"{stage.url}/add/export")
    await shoot(page, "search", scheme)
    await page.goto(f"{stage.url}/add/export/webdav")
    await page.wait_for_selector("#coming strong")
    async with walk.context.expect_page() as opened:
        await page.click(".actions button")
    await walk.log_in(await opened.value, stage.target)
    await page.fill("[name=folder]", "/Invoices/{year}/{month}")
    await page.fill("[name=filename]", "{issue_date} {seller_name} {number}{ext}")
    await page.check("[name=start][value=all]")
    await page.wait_for_selector("#preview .paths :text('/Invoices/2026/')")
    await shoot(page, "options", scheme)
    await page.goto(f"{stage.url}/accounts/{ids['accountant']}/documents")
    await shoot(page, "documents", scheme)


async def main(stage: Stage, ids: Json) -> None:
    async with chromium() as browser:
        for scheme in SCHEMES:
            walk = await walking(browser, scheme, stage.url, size=SIZE, scheme=scheme, locale="en-GB")
            await pictures(stage, ids, walk)
            await walk.context.close()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True, parents=True)
    with tempfile.TemporaryDirectory() as made, staged(Path(made), "127.0.0.62") as ready:
        asyncio.run(main(ready, prepared(ready, Path(made))))
    sys.stdout.write(f"The pictures are in {FOLDER}: look at them.\n")
