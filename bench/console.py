"""The console: the first page in Chromium, search, an event on the page, 2,000 open pages.

`python -m bench console`, or `python bench/console.py [--providers N] [--pages N]`. All on one machine, over
loopback. The catalogue of 50,000 is loaded first, which takes a while; `--providers 0` measures with our own
few. CPU times say what is the console's own part, also where others use the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.async_api import Browser, StorageState

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import running

from catalog import write_manifests
from tests.console.stage import Stage, staged
from tests.window.browsing import chromium

ADDRESS = "127.0.0.63"
QUERIES = (
    "storage",
    "clod",
    "webdva",
    "nextcloud",
    "bank",
    "comptabilité",
    "s",
    "ba",
    "xylophone",
    "hetzner box",
)
LOOKS = 9
"""How often the first page is looked at; what is told is the middle, and of all tasks the longest."""
SEARCHES = 400
BUSY = 2.0
"""Seconds of CPU in five that all services together may use when nothing is asked of them: a look at 50,000
folders may fall into these five."""
OBSERVE = """() => new Promise((done) => {
  const told = { paint: 0, shift: 0, long: 0 };
  const watch = (type, take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  watch("largest-contentful-paint", (one) => { told.paint = one.startTime; });
  watch("layout-shift", (one) => { told.shift += one.value; });
  watch("longtask", (one) => { told.long = Math.max(told.long, one.duration); });
  setTimeout(() => {
    const kinds = ["navigation", "resource"];
    const every = kinds.flatMap((kind) => performance.getEntriesByType(kind));
    told.bytes = every.reduce((sum, one) => sum + one.transferSize, 0);
    done(told);
  }, 1500);
})"""


async def first_page(stage: Stage) -> tuple[dict[str, float], float]:
    """The first page as the browser's own timings tell it; milliseconds from a request to its sight."""
    connection = await asyncio.to_thread(stage.connect, "Bench")
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1180, "height": 860})
        page = await context.new_page()
        await page.goto(stage.link())
        await page.click("form[action='/enter'] button")
        await page.wait_for_selector(".accounts")
        looks = [await first_look(browser, stage.url, await context.storage_state()) for _ in range(LOOKS)]
        told = {name: sorted(look[name] for look in looks)[LOOKS // 2] for name in looks[0]}
        told["longest"] = max(look["long"] for look in looks)
        took = []
        for n in range(10):
            words = "Paused" if n % 2 == 0 else "Up to date"
            name = "ConnectionPaused" if n % 2 == 0 else "ConnectionResumed"
            asked = "ConnectionPauseRequested" if n % 2 == 0 else "ConnectionResumeRequested"
            stage.outsider.heard.clear()
            seen = asyncio.create_task(page.wait_for_selector(f".chip:has-text('{words}')"))
            stage.outsider.ask(asked, connection_id=connection)
            await asyncio.to_thread(stage.outsider.wait, name, connection)
            heard = time.perf_counter()
            await seen
            took.append((time.perf_counter() - heard) * 1000)
        return told, statistics.median(took)


async def first_look(browser: Browser, url: str, known: StorageState) -> dict[str, float]:
    """What a process of the browser that never showed a page tells of the first one."""
    fresh = await browser.new_context(viewport={"width": 1180, "height": 860}, storage_state=known)
    page = await fresh.new_page()
    await page.goto(url)
    told: dict[str, float] = await page.evaluate(OBSERVE)
    await fresh.close()
    return told


async def searches(stage: Stage) -> tuple[list[float], dict[str, float]]:
    """Milliseconds of each search, the whole page with it, as scripts of ours ask; CPU of one by service."""
    took = []
    asked = {name: psutil.Process(stage.services.processes[name].pid) for name in ("console", "catalog")}
    async with httpx.AsyncClient(base_url=stage.url) as http:
        await _enter(http, stage)
        for n in range(SEARCHES + 20):
            if n == 20:
                used = {name: cpu(process) for name, process in asked.items()}
            began = time.perf_counter()
            answer = await http.get("/add/export", params={"query": QUERIES[n % len(QUERIES)]})
            took.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
    return took[20:], {name: (cpu(asked[name]) - used[name]) / SEARCHES * 1000 for name in asked}


def cpu(process: psutil.Process) -> float:
    """Seconds of CPU that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def settled(stage: Stage) -> None:
    """Waits until no service is busy: others go on reading 50,000 providers when the catalogue is done."""
    processes = [psutil.Process(each.pid) for each in stage.services.processes.values()]
    while True:
        before = sum(map(cpu, processes))
        await asyncio.sleep(5)
        if sum(map(cpu, processes)) - before < BUSY:
            return


async def open_pages(stage: Stage, number: int) -> tuple[float, float]:
    """Memory of the console in MB, before and with so many pages that follow their account."""
    process = psutil.Process(stage.services.processes["console"].pid)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=stage.url, limits=limits, timeout=60) as http:
        await _enter(http, stage)
        before = process.memory_info().rss / 1e6
        ready = asyncio.Semaphore(0)
        over = asyncio.Event()

        async def page() -> None:
            async with http.stream("GET", "/events") as stream:
                async for _ in stream.aiter_lines():
                    ready.release()
                    break
                await over.wait()

        pages = [asyncio.create_task(page()) for _ in range(number)]
        for _ in pages:
            await asyncio.wait_for(ready.acquire(), 60)
        await asyncio.sleep(3)
        held = process.memory_info().rss / 1e6
        over.set()
        await asyncio.gather(*pages)
    return before, held


async def _enter(http: httpx.AsyncClient, stage: Stage) -> None:
    token = stage.link().partition("token=")[2]
    answer = await http.post("/enter", data={"token": token})
    assert answer.status_code == httpx.codes.SEE_OTHER


async def measure(stage: Stage, pages: int) -> None:
    stage.account("Bench")
    await settled(stage)
    told, seen = await first_page(stage)
    print(f"first page: {told['bytes'] / 1000:.0f} KB, largest paint {told['paint']:.0f} ms,")
    print(f"  layout shift {told['shift']:.3f}")
    print(f"  longest task {told['long']:.0f} ms, ever {told['longest']:.0f}")
    print(f"an event shows on the page: {seen:.0f} ms after it was heard elsewhere (median of 10)")
    every, own = await searches(stage)
    took = sorted(every)
    print(f"search, {len(took)} times: median {statistics.median(took):.1f} ms,", end=" ")
    print(f"p99 {took[-len(took) // 100]:.1f} ms;", end=" ")
    print(f"CPU of console {own['console']:.1f} ms, of catalog {own['catalog']:.1f} ms each")
    before, held = await open_pages(stage, pages)
    print(f"{pages} open pages: {held:.0f} MB, {before:.0f} MB without")


def main() -> None:
    asked: Any = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--providers", type=int, default=50_000)
    asked.add_argument("--pages", type=int, default=2000)
    given = asked.parse_args()
    running.PATIENCE = 600  # 50,000 manifests are read once
    with tempfile.TemporaryDirectory() as folder:
        (more := Path(folder) / "providers").mkdir()
        write_manifests(more, given.providers)
        with staged(Path(folder), ADDRESS, PAPERBUS_PROVIDERS=str(more)) as stage:
            asyncio.run(measure(stage, given.pages))


if __name__ == "__main__":
    main()
