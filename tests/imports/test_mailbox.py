"""A mailbox is imported: from Dovecot, through a worker, into the ledger, GridFS and events."""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from import_rig import Box, told
from mails import a_mail, invoice_mail, pdf
from run_rig import Rig

from providers.days import days
from providers.drivers import open_driver
from providers.egress import Guard
from providers.manifests import CATALOGUE, load
from providers.reach import Reach
from providers.sources import open_source
from schemas.reasons import Reason, RowStatus
from sync_runner.handlers.words import Word
from sync_runner.lifecycle.sync import Redo, Selection
from sync_runner.store.contents import MongoContents
from sync_runner.store.words import MongoWords

PDF = ("R.pdf", pdf("R"), "application/pdf")
ASKED = Redo((RowStatus.REJECTED,))


async def test_every_attachment_is_kept_told_of_and_hashed(box: Box, import_from: Callable[..., Rig]) -> None:
    box.put(*(invoice_mail(n) for n in range(5)))
    rig = import_from("imap", box.server.credentials)

    await rig.set_up(mailbox=box.name, document_type="invoice", tags="post, 2026")
    await rig.work()

    documents = await told(rig)
    assert [d["metadata"] for d in documents] == [{"document_type": "invoice", "tags": ["post", "2026"]}] * 5
    assert {d["sha256"] for d in documents} == {hashlib.sha256(pdf(str(n))).hexdigest() for n in range(5)}
    assert {d["filename"] for d in documents} == {f"R-{n}.pdf" for n in range(5)}


async def test_the_mailboxes_to_choose_from_are_those_that_are_there_now(box: Box) -> None:
    client = box.talk()
    client.create(f"{box.name}-later")
    client.logout()

    async with (
        Reach(Guard(["127.0.0.0/8"])) as reach,
        open_driver(load(CATALOGUE / "imap"), box.server.credentials, {}, reach) as mailboxes,
    ):
        there = await mailboxes.choices("mailbox", query=box.name.upper())
        first = (await mailboxes.choices("mailbox"))[0]

    assert [choice.value for choice in there] == [box.name, f"{box.name}-later"]
    assert first.value == "INBOX"


async def again(rig: Rig) -> None:
    await rig.due()
    await rig.work()


async def test_only_new_mails_are_looked_at_and_a_mail_that_moved_and_came_back_is_not_imported_again(
    box: Box, import_from: Callable[..., Rig]
) -> None:
    box.put(invoice_mail("first"))
    rig = import_from("imap", box.server.credentials)
    await rig.set_up(mailbox=box.name)
    await rig.work()

    box.move(box.name, f"{box.name}-away")
    box.move(f"{box.name}-away", box.name)
    box.put(invoice_mail("second"))
    await again(rig)

    assert [d["external_id"] for d in await told(rig)] == [
        "<first@kaeserei.example>#2",
        "<second@kaeserei.example>#2",
    ]


async def test_a_mail_that_is_deleted_or_moved_away_is_noted_and_kept_here_until_it_comes_back(
    box: Box, import_from: Callable[..., Rig]
) -> None:
    def remove(number: str, away: str) -> None:
        client = box.talk()
        client.create(away)
        client.select(box.name)
        client.copy(number, away)
        client.store(number, "+FLAGS", "\\Deleted")
        client.expunge()
        client.logout()

    box.put(*(invoice_mail(n) for n in range(3)))
    rig = import_from("imap", box.server.credentials)
    await rig.set_up(mailbox=box.name)
    await rig.work()
    gone = []
    for happens in (
        lambda: remove("2", f"{box.name}-away"),
        lambda: box.put(invoice_mail("new")),
        lambda: box.move(f"{box.name}-away", box.name),
        lambda: remove("1", f"{box.name}-other"),
    ):
        happens()
        await again(rig)
        gone.append([key[1] for key, row in (await rig.rows()).items() if "gone_at" in row])

    assert gone == [["1"], ["1"], [], ["0"]]
    assert len(await told(rig)) == await rig.database["content.files"].count_documents({}) == 4


async def test_a_write_that_is_cut_in_the_middle_of_a_mail_hides_none_of_its_attachments(
    box: Box, import_from: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_runner.worker.STUMBLES", 1)  # enough to see it
    parts = [(f"{n}.pdf", pdf(str(n)), "application/pdf") for n in range(3)]
    box.put(a_mail("three", *parts))
    rig = import_from("imap", box.server.credentials)
    await rig.set_up(mailbox=box.name, afterwards="move", move_to=f"{box.name}-done")
    await rig.database.command("collMod", "ledger", validator={"filename": {"$ne": "1.pdf"}})
    await rig.work()
    cut = await told(rig), box.count()

    await rig.database.command("collMod", "ledger", validator={})
    await again(rig)

    assert cut == ([], 1)
    assert sorted(d["filename"] for d in await told(rig)) == ["0.pdf", "1.pdf", "2.pdf"]
    assert (box.count(), box.count(f"{box.name}-done")) == (0, 1)


async def test_a_mailbox_that_counts_anew_is_listed_again_without_doubles(
    box: Box, import_from: Callable[..., Rig]
) -> None:
    mails = [invoice_mail(n) for n in range(3)]
    box.put(*mails)
    rig = import_from("imap", box.server.credentials)
    await rig.set_up(mailbox=box.name)
    await rig.work()
    before = (await rig.sync())["cursor"]["validity"]

    box.make_anew()
    box.put(*mails, invoice_mail("new"))
    await again(rig)

    assert (await rig.sync())["cursor"]["validity"] != before
    assert sorted(d["filename"] for d in await told(rig)) == ["R-0.pdf", "R-1.pdf", "R-2.pdf", "R-new.pdf"]


async def test_mails_from_before_the_day_are_never_looked_at_whatever_their_date_says(
    box: Box, import_from: Callable[..., Rig]
) -> None:
    box.put(a_mail("old", PDF), at=datetime(1970, 1, 2, tzinfo=UTC))
    box.put(a_mail("new", PDF, Date="Thu, 01 Jan 1970 00:00:00 +0000"), at=datetime(2026, 11, 20, tzinfo=UTC))
    box.put(a_mail("later", PDF, Date="nonsense"), at=datetime(2037, 1, 1, tzinfo=UTC))
    rig = import_from("imap", box.server.credentials)

    await rig.set_up(mailbox=box.name, since="2026-11-19")
    await rig.work()

    assert [d["external_id"] for d in await told(rig)] == [
        "<new@kaeserei.example>#2",
        "<later@kaeserei.example>#2",
    ]


async def test_before_the_first_import_each_day_says_how_many_mails_that_would_be(box: Box) -> None:
    box.put(a_mail("old", PDF), a_mail("older", PDF), at=datetime(2026, 11, 18, tzinfo=UTC))
    box.put(a_mail("new", PDF), at=datetime(2026, 11, 20, tzinfo=UTC))
    login, chosen = box.server.credentials, {"mailbox": box.name}

    async with (
        Reach(Guard(["127.0.0.0/8"])) as reach,
        open_source(load(CATALOGUE / "imap"), login, chosen, reach) as source,
    ):
        said = [
            await days(source, day, date(2026, 11, 21)) for day in ("2026-11-18", "2026-11-19", "2026-11-21")
        ]
        usual = await days(source, "", date(2026, 11, 21))

    assert [choice.label for each in said for choice in each] == [
        "2026-11-18 (3)",
        "2026-11-19 (1)",
        "2026-11-21 (0)",
    ]
    assert [choice.label for choice in usual] == [
        "2026-11-21 (0)",
        "2026-10-22 (3)",
        "2026-01-01 (3)",
        "2025-01-01 (3)",
    ]


async def test_only_the_unread_mails_of_the_sender_and_subject_that_were_asked_for_come_in_and_none_of_ours(
    box: Box, import_from: Callable[..., Rig]
) -> None:
    billing = {"From": "billing@shop.example", "Subject": "Facture n° 7 – été"}
    box.put(a_mail("read", PDF, **billing))
    box.read()
    box.put(
        a_mail("a", PDF, **billing),
        a_mail("b", PDF, From="billing@shop.example", Subject="Newsletter"),
        a_mail("c", PDF, From="other@shop.example", Subject="Facture n° 8 – été"),
        a_mail("ours", PDF, X_Paperbus="1", **billing),
    )
    rig = import_from("imap", box.server.credentials)

    await rig.set_up(mailbox=box.name, sender="billing@", subject="été", only_unread=True)
    await rig.work()

    assert [d["external_id"] for d in await told(rig)] == ["<a@kaeserei.example>#2"]


@pytest.mark.parametrize("afterwards", ["move", "mark", "label"])
async def test_a_mail_is_put_away_only_when_all_of_its_documents_came_in(
    box: Box, import_from: Callable[..., Rig], afterwards: str
) -> None:
    box.put(invoice_mail("good"), a_mail("bad", PDF, ("x.pdf", b"<html>", "application/pdf")), a_mail("none"))
    rig = import_from("imap", box.server.credentials)

    goal = {"move_to": f"{box.name}-done", "label": "Übernommen"}
    await rig.set_up(mailbox=box.name, afterwards=afterwards, **goal)
    await rig.work()

    rows = await rig.rows()
    assert rows["<bad@kaeserei.example>#3"]["status"] == "rejected"
    assert rows["<good@kaeserei.example>#2"]["settled"]
    if afterwards == "move":
        assert (box.count(), box.count(f"{box.name}-done")) == (2, 1)
    flags = box.flags()
    assert [b"\\Seen" in each for each in flags].count(True) == (afterwards == "mark")
    assert [b"bernommen" in each for each in flags].count(True) == (afterwards == "label")


async def test_mails_without_a_message_id_and_with_one_that_others_have_too_all_come_in(
    box: Box, import_from: Callable[..., Rig]
) -> None:
    box.put(
        a_mail("x", ("1.pdf", pdf("1"), "application/pdf"), Message_ID=""),
        a_mail("y", ("2.pdf", pdf("22"), "application/pdf"), Message_ID="<scan@mfp>"),
        a_mail("z", ("3.pdf", pdf("333"), "application/pdf"), Message_ID="<scan@mfp>"),
    )
    rig = import_from("imap", box.server.credentials)

    await rig.set_up(mailbox=box.name, afterwards="move", move_to=f"{box.name}-done")
    await rig.work()
    box.put(a_mail("w", ("4.pdf", pdf("444"), "application/pdf"), Message_ID="<scan@mfp>"))
    await again(rig)

    documents = await told(rig)
    assert sorted(d["filename"] for d in documents) == ["1.pdf", "2.pdf", "3.pdf", "4.pdf"]
    assert len({d["external_id"] for d in documents}) == 4, "none of them is a version of another"
    assert (box.count(), box.count(f"{box.name}-done")) == (0, 4)


async def test_what_the_platform_takes_goes_and_what_it_refuses_is_offered_again_only_when_asked(
    box: Box, import_from: Callable[..., Rig]
) -> None:
    box.put(invoice_mail("taken"), invoice_mail("refused"))
    rig = import_from("imap", box.server.credentials)
    await rig.set_up(mailbox=box.name)
    await rig.work()
    words = MongoWords(rig.database["ledger"], MongoContents(rig.database), lambda: datetime.now(UTC))
    rows = await rig.rows()

    await words.hear(Word("acme", rows["<taken@kaeserei.example>#2"]["_id"], datetime.now(UTC)))
    refused = rows["<refused@kaeserei.example>#2"]["_id"]
    await words.hear(Word("acme", refused, datetime.now(UTC), Reason.DOCUMENT_REFUSED, "Not ours."))
    await words.hear(Word("another", refused, datetime.now(UTC)))
    await again(rig)
    kept = [file["_id"] async for file in rig.database["content.files"].find()]
    after = await rig.rows()

    assert kept == [after["<refused@kaeserei.example>#2"]["content"]]
    assert (after["<refused@kaeserei.example>#2"]["status"], len(await told(rig))) == ("rejected", 2)

    asked = Selection(only=(after["<refused@kaeserei.example>#2"]["document"],), redo=(ASKED,))
    await rig.due(asked)
    await rig.work()

    assert [d["filename"] for d in (await told(rig))[2:]] == ["R-refused.pdf"]
