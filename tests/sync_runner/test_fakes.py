"""The fakes of the unit tests keep the promises that the real things keep: one suite over both."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fake_runs import MemoryRuns, a_row
from fake_target import MemoryTarget
from run_rig import Rig
from subjects import LOOPBACK, Subject

from kit.mongo_aggregates import MongoAggregates
from providers.content import Body, of_bytes
from providers.drivers import Driver
from providers.egress import Guard
from providers.errors import ProviderError
from providers.reach import Reach, utc_now
from schemas.reasons import Reason, RowStatus as S
from sync_runner.handlers.runs import Claim, Failure, Lost, Result, Runs
from sync_runner.store.rows import Rows
from sync_runner.store.runs import MongoRuns
from sync_runner.store.shapes import SYNC


@pytest.fixture(params=["memory", pytest.param("webdav", marks=pytest.mark.targets)])
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    """A target in memory, and a real one."""
    if request.param == "memory":
        yield MemoryTarget()
        return
    subject: Subject = request.getfixturevalue("webdav")
    async with Reach(Guard(LOOPBACK)) as reach, subject.open(reach) as opened:
        yield opened


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_a_new_file_is_there_with_its_bytes(driver: Driver) -> None:
    receipt = await driver.put("/a.pdf", of_bytes(b"one"))
    found = await driver.find("/a.pdf")

    assert receipt.path == "/a.pdf"
    assert found is not None
    assert found.size == 3
    assert await driver.same_bytes("/a.pdf", 3, sha(b"one"))
    assert not await driver.same_bytes("/a.pdf", 3, sha(b"two"))
    assert not await driver.same_bytes("/nothing.pdf", 3, sha(b"one"))
    assert await driver.find("/nothing.pdf") is None


async def test_a_taken_name_is_a_conflict_and_stays_as_it_was(driver: Driver) -> None:
    await driver.put("/a.pdf", of_bytes(b"one"))

    with pytest.raises(ProviderError) as taken:
        await driver.put("/a.pdf", of_bytes(b"two"))

    assert (taken.value.kind, taken.value.reason) == ("conflict", Reason.EXISTS)
    assert await driver.same_bytes("/a.pdf", 3, sha(b"one"))


async def test_only_the_version_that_was_seen_is_replaced(driver: Driver) -> None:
    await driver.put("/a.pdf", of_bytes(b"one"))
    seen = await driver.find("/a.pdf")
    assert seen is not None
    await driver.replace("/a.pdf", of_bytes(b"second"), seen.version)

    with pytest.raises(ProviderError) as moved_on:
        await driver.replace("/a.pdf", of_bytes(b"third"), seen.version)

    assert moved_on.value.kind == "conflict"
    assert await driver.same_bytes("/a.pdf", 6, sha(b"second"))


async def test_folders_are_made_with_all_above_them_and_twice(driver: Driver) -> None:
    await driver.make_folder("/x/y")
    await driver.make_folder("/x/y")

    assert await driver.folder_exists("/x")
    assert await driver.folder_exists("/x/y")
    assert await driver.folder_exists("/")
    assert not await driver.folder_exists("/z")


async def test_a_file_in_a_folder_that_is_not_there_says_so(driver: Driver) -> None:
    with pytest.raises(ProviderError) as missing:
        await driver.put("/nowhere/a.pdf", of_bytes(b"one"))

    assert missing.value.reason is Reason.DESTINATION_MISSING


async def test_other_bytes_than_promised_are_never_visible(driver: Driver) -> None:
    promised = of_bytes(b"one")
    body = Body(promised.size, promised.sha256, promised.media_type, of_bytes(b"two").open)

    with pytest.raises(ProviderError) as changed:
        await driver.put("/a.pdf", body)

    assert changed.value.reason is Reason.CONTENT_CHANGED
    assert await driver.find("/a.pdf") is None


class Stored:
    """A store of runs with three documents, and what tests have to see or move in it."""

    def __init__(
        self,
        runs: Runs,
        set_up: Callable[[], Any],
        statuses: Callable[[], Any],
        time_passes: Callable[[], Any],
    ) -> None:
        self.runs = runs
        self._set_up = set_up
        self._statuses = statuses
        self._time_passes = time_passes

    async def claim(self) -> Claim:
        await self._set_up()
        return await self._claim()

    async def _claim(self) -> Claim:
        claim = await self.runs.claim("a worker")
        assert claim is not None
        return claim

    async def statuses(self) -> str:
        found: dict[str, str] = await self._statuses()
        return " ".join(found[name] for name in sorted(found))

    async def taken_over(self) -> Claim:
        await self._time_passes()
        return await self._claim()


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.servers)])
def stored(request: pytest.FixtureRequest) -> Stored:
    """A store in memory, and the real one."""
    if request.param == "memory":
        memory = MemoryRuns().add(*(a_row(name) for name in "123"))

        async def nothing() -> None:
            """It is all there."""

        async def statuses() -> dict[str, str]:
            return memory.statuses()

        async def time_passes() -> None:
            memory.again()

        return Stored(memory, nothing, statuses, time_passes)
    at: Callable[[Subject], Rig] = request.getfixturevalue("rig_at")
    rig = at(request.getfixturevalue("webdav"))
    database = rig.database
    syncs = MongoAggregates(SYNC, database["syncs"], database["bodies"], utc_now)

    async def set_up() -> None:
        await rig.set_up()
        await rig.receive(dict.fromkeys("123", b"bytes"))

    async def in_mongo() -> dict[str, str]:
        return {name: row["status"] for name, row in (await rig.rows()).items()}

    runs = MongoRuns(syncs, Rows(database["ledger"], database["documents"]))
    return Stored(runs, set_up, in_mongo, rig.lease_ends)


async def test_a_run_is_claimed_once(stored: Stored) -> None:
    claim = await stored.claim()

    assert await stored.runs.claim("another") is None
    assert [row.document_id for row in await stored.runs.take_rows(claim, 10)] == ["1", "2", "3"]


async def test_rows_are_intended_then_recorded(stored: Stored) -> None:
    claim = await stored.claim()
    rows = await stored.runs.take_rows(claim, 10)
    got = await stored.runs.intend(claim, [replace(row, target=f"/{row.document_id}") for row in rows])
    before = await stored.statuses()
    ends = [
        Result(rows[0].id, S.DONE, "/1"),
        Result(rows[1].id, S.REJECTED),
        Result(rows[2].id, S.PENDING),
    ]

    assert (len(got), before) == (3, "sending sending sending")
    assert set(await stored.runs.record(claim, ends)) == set()
    assert await stored.statuses() == "done rejected pending"
    assert dict(await stored.runs.owners(claim, ["/1", "/2"])) == {"/1": "1"}
    assert [row.document_id for row in await stored.runs.moved(claim)] == ["1"]


async def test_another_name_within_one_try_is_no_second_try(stored: Stored) -> None:
    claim = await stored.claim()
    row = (await stored.runs.take_rows(claim, 1))[0]
    for target in ("/a.pdf", "/$a (2).pdf"):
        await stored.runs.intend(claim, [replace(row, target=target)])
    rows = await stored.runs.take_rows(await stored.taken_over(), 10)
    again = next(each for each in rows if each.id == row.id)

    assert (again.attempts, again.target) == (1, "/$a (2).pdf")


async def test_what_was_intended_before_a_takeover_is_in_doubt_and_knows_its_target(stored: Stored) -> None:
    claim = await stored.claim()
    first = (await stored.runs.take_rows(claim, 1))[0]
    await stored.runs.intend(claim, [replace(first, target="/there")])
    newer = await stored.taken_over()
    rows = {row.document_id: row for row in await stored.runs.take_rows(newer, 10)}

    assert newer.fence > claim.fence
    assert (rows["1"].doubtful, rows["1"].target) == (True, "/there")
    assert not rows["2"].doubtful


async def test_an_older_fence_writes_nothing(stored: Stored) -> None:
    old = await stored.claim()
    rows = await stored.runs.take_rows(old, 10)
    await stored.runs.intend(old, rows)
    newer = await stored.taken_over()
    await stored.runs.intend(newer, await stored.runs.take_rows(newer, 10))

    assert set(await stored.runs.record(old, [Result(rows[0].id, S.DONE, "/x")])) == {rows[0].id}
    assert list(await stored.runs.intend(old, rows)) == []
    for late in (stored.runs.renew(old), stored.runs.take_rows(old, 1), stored.runs.finish(old)):
        with pytest.raises(Lost):
            await late
    assert await stored.statuses() == "sending sending sending"


async def test_what_failed_is_not_taken_again_before_its_time(stored: Stored) -> None:
    claim = await stored.claim()
    rows = await stored.runs.take_rows(claim, 10)
    await stored.runs.intend(claim, rows)
    failed = Result(rows[0].id, S.FAILED, reason=Reason.PROVIDER_DOWN, retry_after=timedelta(hours=1))
    await stored.runs.record(claim, [failed, *(Result(row.id, S.DONE, "/x") for row in rows[1:])])

    assert list(await stored.runs.take_rows(claim, 10)) == []
    assert await stored.runs.finish(claim)


async def test_a_destination_is_remembered_for_the_next_worker(stored: Stored) -> None:
    claim = await stored.claim()
    await stored.runs.reached(claim, "/in")

    assert (await stored.taken_over()).destination == "/in"


async def test_a_run_that_broke_is_over(stored: Stored) -> None:
    claim = await stored.claim()

    assert await stored.runs.finish(claim, Failure(Reason.CREDENTIALS_WRONG, "The login does not work."))
    with pytest.raises(Lost):
        await stored.runs.renew(claim)
