"""One document to its place: every clash rule, every earlier end of the same try."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fake_runs import a_row
from fake_target import MemoryTarget, insensitive, listed

from providers.content import of_bytes
from providers.drivers import Capabilities, Found
from providers.errors import ProviderError
from schemas.documents import Metadata
from schemas.reasons import Reason, RowStatus
from sync_runner.destination import Destination
from sync_runner.handlers.runs import Result, Row
from sync_runner.names import Rules
from sync_runner.sending import Choices, HalfSent, Sender, Superseded

A, B = b"first bytes", b"other bytes"
DOWN = ProviderError("transient", Reason.PROVIDER_DOWN, "It broke off.")


class Sending:
    """A sender over a target in memory, with what it wrote down."""

    def __init__(self, target: MemoryTarget, reached: str | None = None, **options: Any) -> None:
        self.target = target
        self.intended: list[str | None] = []
        self.remembered: list[str] = []
        self.owned: dict[str, str] = {}
        self.ours = True
        choices = Choices.of(options, Rules(case_sensitive=target.capabilities.case_sensitive))
        destination = Destination(target, choices.naming.fixed, reached, self._remember)
        self.sender = Sender(target, choices, destination, self._owners, self._intend)

    async def _remember(self, folder: str) -> None:
        self.remembered.append(folder)

    async def _owners(self, targets: Any) -> dict[str, str]:
        return {target: self.owned[target] for target in targets if target in self.owned}

    async def _intend(self, row: Row) -> bool:
        self.intended.append(row.target)
        return self.ours

    async def send(self, row: Row, data: bytes = A) -> str | None:
        result = await self.sent(row, data)
        assert result.status is RowStatus.DONE
        return result.target

    async def sent(self, row: Row, data: bytes = A) -> Result:
        planned = self.sender.planned(row)
        found = await self.sender.look_up(planned) if row.in_doubt else None
        return found or await self.sender.send(planned, of_bytes(data))


def there(**files: bytes) -> MemoryTarget:
    return MemoryTarget(files={f"/{name}.pdf": data for name, data in files.items()})


CASES = [
    # rule, there before, target, there afterwards
    ("skip_same", None, "/x.pdf", {"/x.pdf": A}),
    ("skip_same", A, "/x.pdf", {"/x.pdf": A}),
    ("skip_same", B, "/x (2).pdf", {"/x.pdf": B, "/x (2).pdf": A}),
    ("number", A, "/x (2).pdf", {"/x.pdf": A, "/x (2).pdf": A}),
    ("number", B, "/x (2).pdf", {"/x.pdf": B, "/x (2).pdf": A}),
    ("replace", A, "/x.pdf", {"/x.pdf": A}),
    ("replace", B, "/x.pdf", {"/x.pdf": A}),
    ("reject", A, "/x.pdf", {"/x.pdf": A}),
]


@pytest.mark.parametrize(("clash", "before", "target", "after"), CASES)
async def test_a_taken_name_is_treated_as_chosen(
    clash: str, before: bytes | None, target: str, after: dict[str, bytes]
) -> None:
    sending = Sending(there(x=before) if before else MemoryTarget(), clash=clash)

    assert await sending.send(a_row("1", A, "x.pdf")) == target
    assert listed(sending.target) == dict(sorted(after.items()))


async def test_reject_leaves_the_other_file_and_says_so() -> None:
    sending = Sending(there(x=B), clash="reject")

    with pytest.raises(ProviderError, match=r"another file at /x\.pdf") as refused:
        await sending.send(a_row("1", A, "x.pdf"))

    assert refused.value.kind == "item_permanent"
    assert sending.target.files == {"/x.pdf": B}


async def test_two_documents_never_replace_one_another() -> None:
    sending = Sending(there(x=B), clash="replace")
    sending.owned = {"/x.pdf": "another"}

    assert await sending.send(a_row("1", A, "x.pdf")) == "/x (2).pdf"
    assert await sending.send(a_row("2", b"third", "x.pdf"), b"third") == "/x (3).pdf"


async def test_a_newer_version_replaces_its_own_older_one() -> None:
    sending = Sending(there(x=B), clash="replace")
    sending.owned = {"/x.pdf": "1"}

    assert await sending.send(a_row("1", A, "x.pdf", version=2)) == "/x.pdf"
    assert sending.target.files == {"/x.pdf": A}


@pytest.mark.parametrize("clash", ["skip_same", "number", "replace", "reject"])
async def test_a_try_whose_answer_was_lost_is_found_and_not_sent_twice(clash: str) -> None:
    sending = Sending(MemoryTarget(lost=lambda *_: DOWN), clash=clash)
    row = sending.sender.planned(a_row("1", A, "x.pdf"))
    with pytest.raises(ProviderError):
        await sending.send(row)
    sending.target.lost = lambda *_: None

    assert await sending.send(a_row("1", A, "x.pdf", attempts=1, target=row.target)) == "/x.pdf"
    assert sending.target.puts == ["/x.pdf"]


@pytest.mark.parametrize("clash", ["skip_same", "number", "replace", "reject"])
async def test_a_row_in_doubt_that_never_arrived_is_sent(clash: str) -> None:
    sending = Sending(MemoryTarget(), clash=clash)

    assert await sending.send(a_row("1", A, "x.pdf", doubtful=True, target="/x.pdf")) == "/x.pdf"


async def test_another_name_is_written_down_before_it_is_used() -> None:
    sending = Sending(there(x=B), clash="number")

    assert await sending.send(a_row("1", A, "x.pdf")) == "/x (2).pdf"
    assert sending.intended == ["/x (2).pdf"]


async def test_a_row_that_went_to_another_worker_is_not_put_under_another_name() -> None:
    sending = Sending(there(x=B), clash="number")
    sending.ours = False

    with pytest.raises(Superseded):
        await sending.send(a_row("1", A, "x.pdf"))

    assert sending.target.files == {"/x.pdf": B}


@pytest.mark.parametrize("clash", ["skip_same", "number", "replace"])
async def test_fifty_documents_of_one_name_all_arrive_side_by_side(clash: str) -> None:
    sending = Sending(MemoryTarget(), clash=clash)
    bodies = {str(n): f"document {n:02}".encode() for n in range(50)}

    targets = await asyncio.gather(
        *(sending.send(a_row(i, data, "x.pdf"), data) for i, data in bodies.items())
    )

    assert len(set(targets)) == 50
    assert sorted(sending.target.files.values()) == sorted(bodies.values())
    assert set(sending.target.files) == {"/x.pdf"} | {f"/x ({n}).pdf" for n in range(2, 51)}


async def test_a_name_that_is_known_as_taken_costs_no_further_upload() -> None:
    sending = Sending(MemoryTarget(), clash="number")
    for n in range(20):
        await sending.send(a_row(str(n), A, "x.pdf"))

    assert sending.target.uploads == 21


async def test_a_try_that_arrives_late_between_the_look_and_the_put_is_not_doubled() -> None:
    sending = Sending(MemoryTarget(), clash="number")
    row = sending.sender.planned(a_row("1", A, "x.pdf", doubtful=True, target="/x.pdf"))
    assert await sending.sender.look_up(row) is None
    sending.target.files["/x.pdf"] = A

    result = await sending.sender.send(row, of_bytes(A))

    assert (result.target, sending.target.files) == ("/x.pdf", {"/x.pdf": A})


@pytest.mark.parametrize("clash", ["skip_same", "number", "replace"])
async def test_a_try_under_a_numbered_name_that_arrives_late_is_met_at_that_name(clash: str) -> None:
    sending = Sending(there(x=B), clash=clash)
    sending.owned["/x.pdf"] = "another"
    row = sending.sender.planned(a_row("1", A, "x.pdf", attempts=1, target="/x (2).pdf"))
    assert await sending.sender.look_up(row) is None
    sending.target.files["/x (2).pdf"] = A

    result = await sending.sender.send(row, of_bytes(A))

    assert (result.target, sending.target.files) == ("/x (2).pdf", {"/x.pdf": B, "/x (2).pdf": A})


async def test_a_name_of_an_earlier_try_that_somebody_took_meanwhile_is_passed() -> None:
    sending = Sending(there(x=B), clash="number")
    sending.target.files["/x (2).pdf"] = B

    target = await sending.send(a_row("1", A, "x.pdf", attempts=1, target="/x (2).pdf"))

    assert (target, sending.target.files["/x (2).pdf"]) == ("/x (3).pdf", B)


async def test_two_documents_with_the_same_bytes_and_name_are_one_file_when_same_bytes_are_left() -> None:
    sending = Sending(there(x=B), clash="skip_same")

    assert await sending.send(a_row("1", A, "x.pdf")) == "/x (2).pdf"
    assert await sending.send(a_row("2", A, "x.pdf")) == "/x (2).pdf"


async def test_where_case_does_not_count_a_name_in_other_case_is_taken() -> None:
    sending = Sending(insensitive(there(X=B)), clash="skip_same")

    assert await sending.send(a_row("1", A, "x.pdf")) == "/x (2).pdf"


async def test_the_folder_is_made_when_it_is_first_needed_and_remembered() -> None:
    sending = Sending(MemoryTarget(), folder="/books/{year}", filename="{document_id}{ext}")

    assert await sending.send(a_row("1", A, "x.pdf")) == "/books/none/1.pdf"
    assert sending.remembered == ["/books"]
    assert sending.target.made == ["/books", "/books/none"]


async def test_a_chosen_folder_that_was_there_once_is_not_made_again() -> None:
    sending = Sending(MemoryTarget(), reached="/books", folder="/books/{year}")

    with pytest.raises(ProviderError, match="/books is no longer there") as missing:
        await sending.send(a_row("1"), b"bytes")

    assert missing.value.reason is Reason.DESTINATION_MISSING
    assert sending.target.made == []


async def test_a_folder_of_the_pattern_that_went_away_during_a_run_is_made_again() -> None:
    sending = Sending(MemoryTarget(), folder="/books/{number}")
    await sending.send(a_row("1", metadata=Metadata(number="7")), b"bytes")
    sending.target.folders.discard("/books/7")

    assert await sending.send(a_row("2", metadata=Metadata(number="7")), b"bytes") == "/books/7/2.pdf"


async def test_a_name_for_which_the_target_misses_a_folder_that_is_there_is_the_documents_fault() -> None:
    missing = ProviderError("config", Reason.DESTINATION_MISSING, "No such folder.")
    sending = Sending(MemoryTarget(trouble=lambda step, _: missing if step == "put" else None))

    with pytest.raises(ProviderError) as refused:
        await sending.send(a_row("1"), b"bytes")

    assert refused.value.kind == "item_permanent"


async def test_the_json_beside_a_document_tells_what_is_known_of_it() -> None:
    sending = Sending(MemoryTarget(), sidecar="json")
    await sending.send(a_row("1", A, "x.pdf", metadata=Metadata(number="7", colour="red")))  # type: ignore[call-arg]  # kept

    said = json.loads(sending.target.files["/x.pdf.json"])
    assert said["document_id"] == "1"
    assert said["metadata"] == {"number": "7", "colour": "red"}


async def test_a_sidecar_that_was_lost_is_put_on_the_next_try_without_the_document() -> None:
    sending = Sending(MemoryTarget(), sidecar="json", clash="number")
    sending.target.trouble = lambda step, path: DOWN if step == "put" and path.endswith(".json") else None
    with pytest.raises(HalfSent) as half:
        await sending.send(a_row("1", A, "x.pdf"))
    sending.target.trouble = lambda *_: None

    await sending.send(a_row("1", A, "x.pdf", doubtful=True, target=half.value.target))

    assert sending.target.puts == ["/x.pdf", "/x.pdf.json"]


async def test_a_sidecar_that_the_target_does_not_take_does_not_hold_the_document_back() -> None:
    no = ProviderError("item_permanent", Reason.DOCUMENT_REFUSED, "No JSON here.")
    target = MemoryTarget(trouble=lambda _, path: no if path.endswith(".json") else None)
    sending = Sending(target, sidecar="json")

    result = await sending.sender.send(sending.sender.planned(a_row("1", A, "x.pdf")), of_bytes(A))

    assert result.status is RowStatus.DONE
    assert "No JSON here" in (result.message or "")


class Lagging(MemoryTarget):
    """Whoever looks sees what was there at the beginning; who puts meets what is there now."""

    lags = True

    async def find(self, path: str) -> Found | None:
        return None if self.lags else await super().find(path)

    async def same_bytes(self, path: str, size: int, sha256: str) -> bool:
        return not self.lags and await super().same_bytes(path, size, sha256)


@pytest.mark.parametrize("clash", ["skip_same", "number", "replace", "reject"])
async def test_where_looks_lag_behind_a_lost_answer_waits_and_doubles_nothing(clash: str) -> None:
    sending = Sending(Lagging(files={"/x.pdf": A}), clash=clash)
    row = a_row("1", A, "x.pdf", attempts=1, target="/x.pdf")
    with pytest.raises(ProviderError) as caught:
        await sending.send(row)
    sending.target.lags = False  # type: ignore[attr-defined]  # it is one of those

    assert caught.value.later
    assert await sending.send(row) == "/x.pdf"
    assert sending.target.files == {"/x.pdf": A}


async def test_where_looks_lag_behind_somebody_elses_file_is_left_and_ours_goes_later() -> None:
    sending = Sending(Lagging(files={"/x.pdf": B}), clash="number")
    with pytest.raises(ProviderError) as caught:
        await sending.send(a_row("1", A, "x.pdf"))
    sending.target.lags = False  # type: ignore[attr-defined]  # it is one of those

    assert caught.value.later
    assert await sending.send(a_row("1", A, "x.pdf", attempts=1, target="/x.pdf")) == "/x (2).pdf"
    assert sending.target.files == {"/x.pdf": B, "/x (2).pdf": A}


async def test_a_file_that_changes_all_the_time_is_left_for_later() -> None:
    target = there(x=B)
    turns = iter(range(1000))

    def busy(step: str, path: str) -> None:
        if step == "replace":
            target.files["/x.pdf"] = f"change {next(turns)}".encode()

    target.trouble = busy
    sending = Sending(target, clash="replace")

    with pytest.raises(ProviderError) as restless:
        await sending.send(a_row("1", A, "x.pdf"))

    assert restless.value.later


@pytest.mark.parametrize(("there_before", "status"), [({}, "skipped"), ({"/x.pdf": A}, "done")])
async def test_a_document_withdrawn_while_in_doubt_is_looked_up_and_never_put(
    there_before: dict[str, bytes], status: str
) -> None:
    sending = Sending(MemoryTarget(files=dict(there_before)))
    row = a_row("1", A, "x.pdf", doubtful=True, target="/x.pdf", gone=Reason.WITHDRAWN)

    result = await sending.sent(row)

    assert result.status.value == status
    assert sending.target.puts == []


@pytest.mark.parametrize("clash", ["skip_same", "number", "replace", "reject"])
async def test_half_a_file_that_our_cut_try_left_where_it_is_seen_is_made_whole(clash: str) -> None:
    sending = Sending(half_seen({"/x.pdf": A[:4]}), clash=clash)

    assert await sending.send(a_row("1", A, "x.pdf", doubtful=True, target="/x.pdf")) == "/x.pdf"
    assert sending.target.files == {"/x.pdf": A}


async def test_a_shorter_file_of_somebody_else_is_never_taken_for_our_half() -> None:
    foreign = Sending(half_seen({"/x.pdf": B[:4]}))
    fresh = Sending(half_seen({"/x.pdf": A[:4]}))
    whole = Sending(MemoryTarget({"/x.pdf": A[:4]}))

    assert await foreign.send(a_row("1", A, "x.pdf", doubtful=True, target="/x.pdf")) == "/x (2).pdf"
    assert await fresh.send(a_row("1", A, "x.pdf")) == "/x (2).pdf"
    assert await whole.send(a_row("1", A, "x.pdf", doubtful=True, target="/x.pdf")) == "/x (2).pdf"
    assert (foreign.target.files["/x.pdf"], fresh.target.files["/x.pdf"]) == (B[:4], A[:4])


def half_seen(files: dict[str, bytes]) -> MemoryTarget:
    """A target that shows files before they are whole."""
    return MemoryTarget(files, capabilities=Capabilities(False, False, False))
