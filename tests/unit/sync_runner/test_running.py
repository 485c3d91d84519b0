"""A whole run against a target and a store in memory: what each trouble does to documents and run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fake_runs import CONNECTION, MemoryRuns, a_row
from fake_target import MemoryTarget
from joserfc.jwk import KeySet

from kit.service import STOP
from kit.tokens import ServiceTokens, new_signing_key
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import Reason, RowStatus
from sync_runner.batches import GRACE
from sync_runner.borrowing import Borrow, Loan, NotLent
from sync_runner.content import Contents
from sync_runner.handlers.runs import Failure, Order
from sync_runner.running import Means
from sync_runner.worker import WIND_UP, Worker
from tests.sentences import says_what_to_do

MANIFEST = Manifest.model_validate(
    {
        "id": "memory",
        "name": "Memory",
        "summary": "In memory.",
        "categories": ["storage"],
        "directions": ["export"],
        "login": [{"ask": "credentials", "fields": [{"name": "password", "label": "Password"}]}],
        "driver": {"kind": "webdav"},
    }
)


@dataclass
class MemoryFiles:
    """Documents' bytes by id; `gone` ones are not there."""

    files: dict[str, bytes] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    async def read(self, account: str, file_id: str) -> AsyncIterator[bytes]:
        if file_id in self.gone:
            raise LookupError(file_id)
        yield self.files.get(file_id, b"bytes")


@dataclass
class Stage:
    """Everything that a run meets."""

    runs: MemoryRuns
    target: MemoryTarget = field(default_factory=MemoryTarget)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    manifest: Manifest | None = MANIFEST
    published: Manifest | None = None
    """What is known once the catalog is read."""
    caught_up: bool = True
    refused: NotLent | None = None
    tokens: list[str] = field(default_factory=list)
    """Access tokens that are lent: the next one where one was refused."""
    lends: int = 0
    lent_for: timedelta = timedelta(minutes=5)

    def worker(self, **settings: Any) -> Worker:
        return Worker(self.means(), "test", **settings)

    def means(self) -> Means:
        key = new_signing_key("sync-runner")
        reach = Reach()
        contents = Contents(reach, ServiceTokens(key, KeySet([key]), lambda: 0), self.files)
        lent, known = self._borrowing, self._manifest
        return Means(self.runs, lent, known, self._catalog_read, contents, reach, self.target.open)

    async def _manifest(self, provider_id: str, revision: int) -> Manifest | None:
        return self.manifest

    async def _catalog_read(self) -> bool:
        self.manifest = self.manifest or self.published
        return self.caught_up

    def _borrowing(self, account: str, connection: str, run: str, fence: int) -> Borrow:
        async def borrow(refused: str | None = None) -> Loan:
            self.lends += 1
            if self.refused and (refused or not self.tokens):
                raise self.refused
            if refused == (self.tokens or [""])[0] and len(self.tokens) > 1:
                self.tokens.pop(0)
            return Loan(
                connection_id=connection,
                account=account,
                run_id=run,
                fence=fence,
                provider_id="memory",
                provider_revision=1,
                credentials={"access_token": self.tokens[0]} if self.tokens else {"password": "s3cret"},
                credentials_revision=7,
                expires_at=datetime.now(UTC) + self.lent_for,
            )

        return borrow

    async def run(self, **settings: Any) -> Failure | None:
        """One run to its end: its failure, or None."""
        worker, ends = self.worker(**settings), len(self.runs.ended)
        working = asyncio.create_task(worker.run())
        try:
            async with asyncio.timeout(60):
                while len(self.runs.ended) == ends:  # noqa: ASYNC110 - the fake store tells nobody
                    await asyncio.sleep(0.005)
        finally:
            await worker.stop()
            await working
        return self.runs.ended[-1]


def stage(*names: str, **options: Any) -> Stage:
    return Stage(MemoryRuns(options=options).add(*(a_row(name) for name in names)))


async def under_way(on: Stage) -> None:
    """Returns once something was put."""
    async with asyncio.timeout(30):
        while not on.target.puts:  # noqa: ASYNC110 - the fake target tells nobody
            await asyncio.sleep(0.005)


async def settled(on: Stage) -> int:
    """How many were put, once no more are; the slowest manifest here lets one go every 0.02 s."""
    puts = -1
    while puts != len(on.target.puts):
        puts = len(on.target.puts)
        await asyncio.sleep(0.5)
    return puts


def failing(kind: Any, reason: Reason, *, on: str = "put", path: str = "", **more: Any) -> Any:
    error = ProviderError(kind, reason, f"It says {reason.value}.", **more)
    return lambda step, at: error if step == on and path in at else None


async def test_every_document_arrives_and_the_run_ends_well() -> None:
    on = stage("1", "2", "3", folder="/in")

    assert await on.run() is None
    assert on.runs.statuses() == {"1": "done", "2": "done", "3": "done"}
    assert on.target.files == {f"/in/{n}.pdf": b"bytes" for n in "123"}
    assert on.runs.destination == "/in"


async def test_a_run_with_nothing_to_do_borrows_nothing_and_touches_no_target() -> None:
    on = stage(folder="/in")

    assert await on.run() is None
    assert (on.lends, on.target.made) == (0, [])


async def test_a_document_that_the_target_refuses_is_rejected_in_its_words_and_blocks_no_other() -> None:
    on = stage("1", "2", "3")
    on.target.trouble = failing("item_permanent", Reason.DOCUMENT_REFUSED, path="2")

    assert await on.run() is None
    assert on.runs.statuses() == {"1": "done", "2": "rejected", "3": "done"}
    assert on.runs.lines[f"{CONNECTION}/2/1"].result.message == "It says document_refused."  # type: ignore[union-attr]


async def test_a_document_that_may_not_be_put_where_others_may_is_rejected() -> None:
    on = stage("1", "2", "3")
    on.target.trouble = failing("config", Reason.PERMISSION_MISSING, path="2")

    assert await on.run() is None
    assert on.runs.statuses() == {"1": "done", "2": "rejected", "3": "done"}


async def test_an_account_that_may_put_nothing_stops_the_run_and_keeps_the_documents() -> None:
    on = stage("1", "2")
    on.target.trouble = failing("config", Reason.PERMISSION_MISSING)

    assert (await on.run()).reason is Reason.PERMISSION_MISSING  # type: ignore[union-attr]
    assert on.runs.statuses() == {"1": "pending", "2": "pending"}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("auth", Reason.CREDENTIALS_WRONG),
        ("config", Reason.QUOTA_FULL),
        ("auth", Reason.LOCKED),
        ("config", Reason.CERTIFICATE_INVALID),
    ],
)
async def test_a_target_that_takes_nothing_stops_the_run_at_once_with_its_own_reason(
    kind: str, reason: Reason
) -> None:
    on = stage(*(f"{n}" for n in range(40)))
    on.target.trouble = failing(kind, reason)

    failure = await on.run()

    assert (failure.reason, failure.credentials_revision) == (reason, 7)  # type: ignore[union-attr]
    assert set(on.runs.statuses().values()) == {"pending"}
    assert len(on.target.puts) == 0


async def test_a_rate_limit_stops_the_run_with_the_providers_own_wait() -> None:
    on = stage("1", "2", "3")
    on.target.trouble = failing("rate_limited", Reason.RATE_LIMITED, path="2", retry_after=90.0)

    failure = await on.run()

    assert (failure.reason, failure.retry_after) == (Reason.RATE_LIMITED, timedelta(seconds=90))  # type: ignore[union-attr]
    assert on.runs.statuses()["2"] == "pending"


async def test_a_short_rest_that_the_provider_asks_for_is_taken_within_the_run() -> None:
    on = stage("1", "2", "3")
    asked = iter([ProviderError("rate_limited", Reason.RATE_LIMITED, "Slowly.", retry_after=0.05)])
    on.target.trouble = lambda step, _: next(asked, None) if step == "put" else None

    assert await on.run() is None
    assert set(on.runs.statuses().values()) == {"done"}


async def test_a_provider_that_asks_for_one_rest_after_the_other_stops_the_run() -> None:
    on = stage("1")
    on.target.trouble = failing("rate_limited", Reason.RATE_LIMITED, retry_after=0.01)

    assert (await on.run()).reason is Reason.RATE_LIMITED  # type: ignore[union-attr]
    assert on.runs.statuses() == {"1": "pending"}


async def test_a_target_that_is_down_is_left_alone_after_three_documents() -> None:
    on = stage(*(f"{n}" for n in range(40)))
    on.target.capabilities = replace(on.target.capabilities, concurrency=1)
    on.target.trouble = failing("transient", Reason.PROVIDER_DOWN)

    assert (await on.run()).reason is Reason.PROVIDER_DOWN  # type: ignore[union-attr]
    assert list(on.runs.statuses().values()).count("failed") == 3


async def test_files_that_are_locked_are_no_locked_account() -> None:
    on = stage("1", "2", "3", "4")
    on.target.trouble = failing("transient", Reason.LOCKED)

    failure = await on.run()

    assert failure is not None
    assert failure.reason is Reason.PROVIDER_DOWN, "no login mends it, and it is tried again by itself"
    assert {line.result.reason for line in on.runs.lines.values() if line.result} == {Reason.LOCKED, None}


async def test_one_document_on_which_the_target_stumbles_does_not_stop_the_others() -> None:
    on = stage(*(f"{n}" for n in range(10)))
    on.target.trouble = failing("transient", Reason.PROVIDER_DOWN, path="5")

    assert await on.run() is None
    assert on.runs.statuses()["5"] == "failed"
    assert list(on.runs.statuses().values()).count("done") == 9


async def test_a_single_document_and_a_target_that_is_down_is_a_failed_run() -> None:
    on = stage("1")
    on.target.trouble = failing("transient", Reason.PROVIDER_DOWN)

    assert (await on.run()).reason is Reason.PROVIDER_DOWN  # type: ignore[union-attr]


async def test_a_document_that_the_platform_does_not_give_waits_and_the_others_go() -> None:
    on = stage("1", "2", "3")
    on.files.gone = {"2"}

    assert await on.run() is None
    assert on.runs.statuses() == {"1": "done", "2": "failed", "3": "done"}
    assert on.runs.lines[f"{CONNECTION}/2/1"].result.reason is Reason.CONTENT_UNAVAILABLE  # type: ignore[union-attr]


def refusals(on: Stage) -> list[str]:
    """What is said of the documents that were rejected."""
    results = [line.result for line in on.runs.lines.values()]
    return [it.message or "" for it in results if it is not None and it.status is RowStatus.REJECTED]


async def test_other_bytes_than_announced_are_rejected_and_nothing_is_visible() -> None:
    on = stage("1", "2")
    on.files.files = {"2": b"BYTES"}

    assert await on.run() is None
    assert on.runs.statuses() == {"1": "done", "2": "rejected"}
    assert on.target.files == {"/1.pdf": b"bytes"}
    assert [says_what_to_do(said) for said in refusals(on)] == [True]


async def test_what_failed_is_tried_again_and_not_doubled() -> None:
    on = stage("1", "2", clash="number")
    on.target.lost = failing("transient", Reason.PROVIDER_DOWN)
    await on.run()
    on.target.lost = lambda *_: None
    on.runs.again()

    assert await on.run() is None
    assert on.target.files == {"/1.pdf": b"bytes", "/2.pdf": b"bytes"}
    assert on.target.puts == ["/1.pdf", "/2.pdf"]


async def test_nothing_is_lent_to_a_paused_connection_and_its_run_says_so() -> None:
    on = stage("1")
    on.refused = NotLent(Reason.PAUSED, "It is paused.", later=False)

    assert await on.run() == Failure(Reason.PAUSED, "It is paused.", None, None)
    assert on.runs.statuses() == {"1": "pending"}


async def test_a_run_whose_token_ended_early_is_tried_again_with_a_newer_one() -> None:
    on = stage("1")
    on.target.trouble = failing("auth", Reason.CREDENTIALS_WRONG)
    on.tokens = ["ended", "newer"]
    ended = await on.run()

    assert ended is not None
    assert (ended.reason, on.tokens, on.lends) == (Reason.INTERRUPTED, ["newer"], 2)
    assert on.runs.statuses() == {"1": "pending"}


async def test_a_run_that_is_refused_though_there_is_no_newer_token_says_so() -> None:
    on = stage("1")
    on.target.trouble = failing("auth", Reason.CREDENTIALS_WRONG)
    on.tokens = ["good"]
    ended = await on.run()
    assert ended is not None
    assert (ended.reason, ended.credentials_revision) == (Reason.CREDENTIALS_WRONG, 7)

    on = stage("1")
    on.target.trouble = failing("auth", Reason.CREDENTIALS_WRONG)
    on.tokens, on.refused = ["ended"], NotLent(Reason.CONSENT_EXPIRED, "Log in again.", later=False)
    assert await on.run() == Failure(Reason.CONSENT_EXPIRED, "Log in again.", None, None)


async def test_a_pause_in_the_middle_stops_the_run_and_leaves_the_rest() -> None:
    on = stage(*(f"{n}" for n in range(500)))
    on.manifest = MANIFEST.model_copy(
        update={"limits": MANIFEST.limits.model_copy(update={"requests_per_second": 100.0})}
    )
    on.runs.order = Order.STOP

    await on.run(renew_every=0.1)

    counted = list(on.runs.statuses().values())
    assert 0 < counted.count("done") < 500
    assert counted.count("pending") == 500 - counted.count("done")


async def test_a_worker_that_lost_its_run_writes_nothing_more() -> None:
    on = stage(*(f"{n}" for n in range(500)))
    on.manifest = MANIFEST.model_copy(
        update={"limits": MANIFEST.limits.model_copy(update={"requests_per_second": 100.0})}
    )
    worker = on.worker(renew_every=0.1)
    working = asyncio.create_task(worker.run())
    await under_way(on)
    on.runs.stolen()
    written = on.runs.statuses()

    assert 0 < await settled(on) < 500
    assert on.runs.ended == []
    assert on.runs.statuses() == written
    await worker.stop()
    await working


async def test_a_store_that_hangs_does_not_keep_a_run_going_past_its_lease() -> None:
    on = stage(*(f"{n}" for n in range(500)))
    on.manifest = MANIFEST.model_copy(
        update={"limits": MANIFEST.limits.model_copy(update={"requests_per_second": 50.0})}
    )
    on.runs.hangs = True
    worker = on.worker(renew_every=0.1, lease=0.3)
    working = asyncio.create_task(worker.run())
    await under_way(on)

    assert 0 < await settled(on) < 500
    await worker.stop()
    await working


async def test_what_was_put_away_is_told_of_before_more_is_taken() -> None:
    on = stage("1")
    on.runs.unfinished = 2

    assert await on.run() is None
    assert on.runs.parts == 3


async def test_a_provider_is_given_up_only_once_the_whole_catalog_was_read() -> None:
    retired, behind, late = stage("1"), stage("1"), stage("1")
    for on in (retired, behind, late):
        on.manifest = None
    behind.caught_up = False
    late.published = MANIFEST

    failures = [await on.run() for on in (retired, behind, late)]

    assert [failure and failure.reason for failure in failures] == [
        Reason.PROVIDER_RETIRED,
        Reason.INTERRUPTED,
        None,
    ]


async def test_shutting_down_gives_the_run_back_and_another_worker_ends_it_with_nothing_doubled() -> None:
    on = stage(*(f"{n}" for n in range(300)), clash="number")
    on.manifest = MANIFEST.model_copy(
        update={"limits": MANIFEST.limits.model_copy(update={"requests_per_second": 200.0})}
    )
    worker = on.worker()
    working = asyncio.create_task(worker.run())
    await under_way(on)
    await worker.stop()
    await working
    moved = len(on.target.puts)
    on.manifest = MANIFEST

    assert (on.runs.released, on.runs.ended) == (1, [])
    assert 0 < moved < 300
    assert await on.run() is None
    assert len(on.target.puts) == len(on.target.files) == 300


def test_a_worker_gives_its_runs_back_before_the_service_cancels_it() -> None:
    assert GRACE + WIND_UP < STOP


async def test_a_put_that_hangs_is_cut_off_at_shutdown_and_looked_up_later() -> None:
    on = stage("1", clash="number")
    put = on.target.put

    async def hanging(path: str, body: Any) -> Any:
        await put(path, body)
        await asyncio.sleep(3600)

    on.target.put = hanging  # type: ignore[method-assign]
    worker = on.worker()
    working = asyncio.create_task(worker.run())
    await under_way(on)
    await worker.stop()
    await working
    on.target.put = put  # type: ignore[method-assign]

    assert on.runs.statuses() == {"1": "sending"}
    assert await on.run() is None
    assert on.target.puts == ["/1.pdf"]


async def test_a_long_run_is_said_in_parts_and_goes_to_the_back_when_others_wait() -> None:
    on = stage(*(f"{n}" for n in range(1100)))
    on.runs.others_wait = True

    assert await on.run() is None
    assert on.runs.parts == 3
    assert len(on.target.files) == 1100


async def test_what_was_lent_is_lent_again_before_it_ends() -> None:
    on = stage(*(f"{n}" for n in range(20)))
    on.manifest = MANIFEST.model_copy(
        update={"limits": MANIFEST.limits.model_copy(update={"requests_per_second": 100.0})}
    )
    on.lent_for = timedelta(seconds=60.1)

    assert await on.run() is None
    assert on.lends > 1
    assert len(on.target.puts) == 20


async def test_never_more_documents_at_once_than_the_target_bears() -> None:
    on = stage(*(f"{n}" for n in range(100)))
    on.target.capabilities = replace(on.target.capabilities, concurrency=3)

    await on.run()

    assert on.target.most_at_once == 3


async def test_what_arrives_beside_a_slow_document_is_recorded_before_that_is_there() -> None:
    on = stage("slow", *(f"{n}" for n in range(5)))
    on.target.capabilities = replace(on.target.capabilities, concurrency=2)
    put = on.target.put

    async def one_is_slow(path: str, body: Any) -> Any:
        while path == "/slow.pdf" and list(on.runs.statuses().values()).count("done") < 5:  # noqa: ASYNC110 - no bell rings
            await asyncio.sleep(0.01)
        return await put(path, body)

    on.target.put = one_is_slow  # type: ignore[method-assign]

    assert await on.run() is None
    assert set(on.runs.statuses().values()) == {"done"}


async def test_a_document_larger_than_the_provider_takes_is_not_even_sent() -> None:
    on = stage("1")
    on.manifest = MANIFEST.model_copy(update={"limits": MANIFEST.limits.model_copy(update={"max_bytes": 4})})

    assert await on.run() is None
    assert (on.runs.statuses(), on.target.puts) == ({"1": "rejected"}, [])
    assert [says_what_to_do(said) for said in refusals(on)] == [True]


async def test_a_runs_csv_lists_what_it_moved() -> None:
    on = stage("1", "2", sidecar="csv", folder="/in")

    assert await on.run() is None

    name = "/in/paperbus 2026-05-09T100000Z 22222222.csv"
    lines = on.target.files[name].decode("utf-8-sig").splitlines()
    assert [line.split(",")[2] for line in lines] == ["file", "/in/1.pdf", "/in/2.pdf"]


async def test_an_error_of_ours_costs_one_document_one_try() -> None:
    on = stage("1", "2")
    bugs = iter([ZeroDivisionError()])

    def bug(step: str, path: str) -> None:
        if step == "put" and "1" in path:
            raise next(bugs, ZeroDivisionError())

    on.target.trouble = bug

    assert await on.run() is None
    assert on.runs.statuses() == {"1": "failed", "2": "done"}


async def test_a_pattern_that_cannot_be_read_ends_the_run_with_its_sentence() -> None:
    on = stage("1", filename="{nummer}")

    failure = await on.run()

    assert failure.reason is Reason.INVALID  # type: ignore[union-attr]
    assert "{nummer} is no placeholder" in failure.message  # type: ignore[union-attr]


async def test_one_account_takes_a_quarter_of_the_slots_while_others_wait() -> None:
    on = stage("1")
    seen: list[list[str]] = []
    claim = on.runs.claim

    async def claimed(owner: str, crowded: Any = ()) -> Any:
        seen.append(list(crowded))
        return await claim(owner, crowded)

    on.runs.claim = claimed  # type: ignore[method-assign]
    on.target.trouble = failing("auth", Reason.LOCKED)
    await on.run(slots=4)

    assert seen[:2] == [[], ["acme"]]


async def test_no_secret_is_in_what_a_loan_or_a_claim_shows_of_itself() -> None:
    on = stage("1", folder="/private")
    loan = await on._borrowing("acme", CONNECTION, "run", 1)()
    claim = await on.runs.claim("test")

    assert "s3cret" not in repr(loan)
    assert "private" not in repr(claim)
