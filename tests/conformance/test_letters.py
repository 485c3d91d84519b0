"""Runs whose documents go by mail: one or all in a letter, and never twice by themselves."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import pytest
from mailserver import Mailserver, mailserver
from run_rig import Platform, Rig, a_place
from subjects import manifest
from targets import PASSWORD, USER

from providers.content import of_bytes
from providers.drivers.mime import end, head, part
from providers.outbox import Enclosure, Letter

A, B, C = (bytes([number]) * 5000 for number in range(3))


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform().serving() as platform:
        yield platform


async def rigged(mongo: str, database: str, server: Mailserver, platform: Platform, **options: Any) -> Rig:
    login = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": USER}
    credentials = {**login, "password": PASSWORD, "sender": "jane@firm.example"}
    place = a_place(mongo, database, manifest("smtp"), credentials, platform.key)
    return await Rig(place, platform).set_up(to="inbox@firm.example", **options)


def statuses(rows: dict[str, dict[str, Any]]) -> set[str]:
    return {row["status"] for row in rows.values()}


async def test_each_document_goes_in_a_letter_of_its_own(mongo: str, fresh_database: str, platform: Platform):
    with mailserver() as server:
        rig = await rigged(mongo, fresh_database, server, platform, subject="Beleg {stem}")
        await rig.receive({"a": A, "b": B}, {"a": "Müller.pdf"})
        await rig.work()
        rows = await rig.rows()
    rig.client.close()

    assert sorted(server.documents(), key=str) == sorted([{"Müller.pdf": A}, {"b.pdf": B}], key=str)
    assert {mail["Subject"] for mail in server.taken} == {"Beleg Müller", "Beleg b"}
    assert statuses(rows) == {"done"}
    assert {f"<{row['target'].removeprefix('mid:')}>" for row in rows.values()} == {
        mail["Message-ID"] for mail in server.taken
    }


async def test_all_go_in_one_letter_as_far_as_the_server_takes_them(
    mongo: str, fresh_database: str, platform: Platform
):
    with mailserver(most=24_000) as server:
        rig = await rigged(mongo, fresh_database, server, platform, attach="all")
        await rig.receive({"a": A, "b": B, "c": C, "large": A * 10}, {"b": "a.pdf"})
        await rig.work()
        rows = await rig.rows()
    rig.client.close()

    assert sorted(len(each) for each in server.documents()) == [1, 2]
    assert sorted(data for each in server.documents() for data in each.values()) == [A, B, C]
    assert rows.pop("large")["status"] == "rejected"
    assert statuses(rows) == {"done"}


async def test_a_document_that_cannot_be_had_keeps_no_other_from_going(
    mongo: str, fresh_database: str, platform: Platform
):
    with mailserver() as server:
        rig = await rigged(mongo, fresh_database, server, platform, attach="all")
        await rig.receive({"a": A, "b": B, "c": C})
        platform.files["b"] = b"other bytes"
        await rig.work()
        rows = await rig.rows()
    rig.client.close()

    assert server.documents() == [{"a.pdf": A, "c.pdf": C}]
    assert {name: row["status"] for name, row in rows.items()} == {"a": "done", "b": "rejected", "c": "done"}


async def test_a_lost_answer_is_unknown_for_ever_and_goes_again_only_when_asked_for_by_its_id(
    mongo: str, fresh_database: str, platform: Platform
):
    with mailserver(last=None) as server:
        rig = await rigged(mongo, fresh_database, server, platform)
        await rig.receive({"a": A})
        await rig.work()
        unknown = (await rig.rows())["a"]
        server.last = "250 2.0.0 taken"
        for _ in range(2):
            await rig.lease_ends()
            await rig.work()
        still = (await rig.rows())["a"]
        taken = len(server.taken)
        await rig.database["ledger"].update_one({"_id": still["_id"]}, {"$set": {"asked": True}})
        await rig.lease_ends()
        await rig.work()
        done = (await rig.rows())["a"]
    rig.client.close()

    assert unknown["status"] == still["status"] == "unknown"
    assert unknown["reason"] == "interrupted"
    assert taken == 1
    assert done["status"] == "done"
    assert "asked" not in done
    assert len({mail["Message-ID"] for mail in server.taken}) == 1
    assert len(server.taken) == 2


@pytest.mark.parametrize(("point", "arrived"), [("store.intend.after", 0), ("store.record.before", 1)])
async def test_a_worker_that_is_killed_leaves_what_may_have_gone_unknown_and_sends_the_rest(
    point: str, arrived: int, mongo: str, fresh_database: str, platform: Platform
):
    with mailserver() as server:
        rig = await rigged(mongo, fresh_database, server, platform)
        await rig.receive({"a": A})
        killed = await rig.killed(point)
        before = len(server.taken)
        await rig.lease_ends()
        await rig.work()
        rows = await rig.rows()
    rig.client.close()

    assert killed
    assert before == arrived
    assert len(server.taken) == 1
    assert statuses(rows) == {"unknown" if arrived else "done"}


async def test_a_letter_is_ascii_whatever_its_names_are():
    letter = Letter(
        "ref", "Gebühr 1 €", "Müller.pdf\r\n請求書.pdf\r\n", (Enclosure("請求書.pdf", of_bytes(A)),)
    )
    whole = head(letter, "ref@firm.example", "jane@firm.example", "inbox@firm.example", datetime.now(UTC))
    whole += part(letter, letter.enclosures[0].name, "application/pdf") + end(letter)

    assert whole.isascii(), "it would need 8BITMIME"
    text = message_from_bytes(whole, policy=SMTP).get_body()
    assert text is not None
    assert text.get_content() == letter.text
