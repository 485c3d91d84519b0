"""What the way by mail promises: see `providers.outbox.Outbox`."""

import hashlib
import logging
import socket
import traceback
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import pytest
from answering import cut_line
from mailserver import Mailserver, mailserver
from subjects import CANARY, manifest
from targets import PASSWORD, USER
from test_hostile import certificate

from providers.content import Body, of_bytes
from providers.drivers import open_driver
from providers.egress import Guard
from providers.errors import ProviderError
from providers.outbox import Enclosure, Letter, Outbox, Spoilt, Unsure
from providers.reach import Reach
from schemas.reasons import Reason

PDF = b"%PDF-1.7 " + bytes(range(256)) * 40
ODD = ["ä ö ü ß.pdf", "…" * 60 + ".pdf", 'quote" and \\ slash.pdf', "100 %20.pdf", "Rechnung (2).pdf"]
REFERENCE = "0b0e5a6e-5d0e-5b0a-9d53-6f3a2f5f1c11"


def opened(
    port: int, reach: Reach, to: str = "inbox@firm.example", **changed: Any
) -> AbstractAsyncContextManager[Any]:
    login = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "username": USER,
        "password": PASSWORD,
        "sender": "Firm <jane@firm.example>",
    }
    return open_driver(manifest("smtp"), {**login, **changed}, {"to": to}, reach)


def letter(*documents: tuple[str, Body]) -> Letter:
    return Letter(REFERENCE, "Belege für Müller", "a.pdf", [Enclosure(*each) for each in documents])


async def committed() -> None:
    """Nothing is to be written down."""


async def sent(server: Mailserver, reach: Reach, mail: Letter, to: str = "inbox@firm.example") -> Any:
    async with opened(server.port, reach, to) as driver:
        return await cast(Outbox, driver).send(mail, committed)


async def refused(
    server: Mailserver, reach: Reach, mail: Letter, to: str = "inbox@firm.example"
) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await sent(server, reach, mail, to)
    return caught.value


async def test_documents_arrive_byte_for_byte_under_their_names(reach: Reach):
    documents = [
        (name, of_bytes(PDF * number + b"x" * number, "application/pdf")) for number, name in enumerate(ODD)
    ]
    with mailserver() as server:
        posted = await sent(server, reach, letter(*documents))

    assert server.documents() == [{name: PDF * number + b"x" * number for number, name in enumerate(ODD)}]
    assert server.taken[0]["Message-ID"] == f"<{posted.message_id}>" == f"<{REFERENCE}@firm.example>"
    assert server.taken[0]["Subject"] == "Belege für Müller"
    assert server.envelopes == [("jane@firm.example", ["inbox@firm.example"])]


async def test_the_same_letter_is_recognised_and_two_go_over_one_login(reach: Reach):
    with mailserver() as server:
        async with opened(server.port, reach) as driver:
            for _ in range(2):
                await driver.send(letter(("a.pdf", of_bytes(PDF))), committed)

    assert len({mail["Message-ID"] for mail in server.taken}) == 1
    assert len(server.taken) == 2


@pytest.mark.parametrize("changed", [{"password": f"{CANARY}-wrong"}, {"username": f"{CANARY}"}])
async def test_a_wrong_login_is_told_as_such_without_repeating_it(
    changed: dict[str, str], reach: Reach, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    with mailserver() as server, pytest.raises(ProviderError) as caught:
        async with opened(server.port, reach, **changed) as driver:
            await driver.check()

    assert (caught.value.kind, caught.value.reason) == ("auth", Reason.CREDENTIALS_WRONG)
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text


async def test_a_right_login_passes_the_check_and_sends_nothing(reach: Reach):
    with mailserver() as server:
        async with opened(server.port, reach) as driver:
            await driver.check()
            identity = await driver.identity()

    assert identity == "Firm <jane@firm.example>"
    assert server.taken == []


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("127.0.0.1", Reason.HOST_UNREACHABLE),
        ("no-such-host.invalid", Reason.HOST_UNREACHABLE),
        ("169.254.169.254", Reason.ADDRESS_REFUSED),
        ("10.0.0.1", Reason.ADDRESS_REFUSED),
        ("2852039166", Reason.ADDRESS_REFUSED),
    ],
)
async def test_a_host_that_is_dead_or_forbidden_is_told(host: str, reason: Reason, reach: Reach):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ProviderError) as caught:
            async with opened(taken.getsockname()[1], reach, host=host):
                pass

    assert caught.value.reason is reason


async def test_without_tls_only_listed_private_networks_are_spoken_to():
    async def names(host: str, port: int) -> list[str]:
        return ["8.8.8.8"]

    async with Reach(Guard(["127.0.0.0/8"], names)) as reach:
        with pytest.raises(ProviderError) as caught:
            async with opened(25, reach, host="mail.example"):
                pass

    assert caught.value.reason is Reason.ADDRESS_REFUSED


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_over_tls_the_certificate_must_be_trusted_and_for_this_name(security: str, tmp_path: Path):
    async def names(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def says(host: str, port: int, ca_file: str | None) -> Reason | None:
        async with Reach(Guard(["127.0.0.0/8"], names), ca_file=ca_file) as reach:
            try:
                async with opened(port, reach, host=host, security=security) as driver:
                    await driver.check()
            except ProviderError as error:
                return error.reason
        return None

    tls, trusted = certificate(tmp_path, "mail.example")
    with mailserver(tls, at_once=security == "tls") as server:
        assert await says("mail.example", server.port, None) is Reason.CERTIFICATE_INVALID
        assert await says("other.example", server.port, trusted) is Reason.CERTIFICATE_INVALID
        assert await says("mail.example", server.port, trusted) is None


async def test_a_server_that_cannot_encrypt_is_told_before_the_password_is_sent(reach: Reach):
    with mailserver() as server, pytest.raises(ProviderError) as caught:
        async with opened(server.port, reach, security="starttls"):
            pass

    assert caught.value.reason is Reason.PROVIDER_CHANGED


async def test_what_the_server_takes_at_most_is_learnt_before_anything_is_sent(reach: Reach):
    with mailserver(most=20_000) as server:
        async with opened(server.port, reach) as driver:
            most = driver.most_bytes
        error = await refused(server, reach, letter(("a.pdf", of_bytes(PDF * 2))))

    assert most == 20_000
    assert (error.kind, error.reason) == ("item_permanent", Reason.DOCUMENT_REFUSED)
    assert server.taken == []


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        ("421 4.3.2 closing", "transient", Reason.PROVIDER_DOWN),
        ("451 4.3.0 later", "transient", Reason.PROVIDER_DOWN),
        ("451 4.7.1 too many", "rate_limited", Reason.RATE_LIMITED),
        ("552 5.3.4 too large", "item_permanent", Reason.DOCUMENT_REFUSED),
        ("554 5.6.0 a virus", "item_permanent", Reason.DOCUMENT_REFUSED),
    ],
)
async def test_what_is_said_to_a_letter_is_classed(said: str, kind: str, reason: Reason, reach: Reach):
    with mailserver(last=said) as server:
        error = await refused(server, reach, letter(("a.pdf", of_bytes(PDF))))

    assert (error.kind, error.reason) == (kind, reason)
    assert not isinstance(error, Unsure)


async def test_an_addressee_who_is_refused_is_told_and_the_others_get_it(reach: Reach):
    with mailserver(recipients={"gone@firm.example": "550 5.1.1 unknown"}) as server:
        posted = await sent(
            server, reach, letter(("a.pdf", of_bytes(PDF))), "in@firm.example, gone@firm.example"
        )
        error = await refused(server, reach, letter(("a.pdf", of_bytes(PDF))), "gone@firm.example")

    assert posted.refused == ["gone@firm.example"]
    assert server.envelopes == [("jane@firm.example", ["in@firm.example"])]
    assert (error.kind, error.reason, error.field) == ("config", Reason.DESTINATION_MISSING, "to")


async def test_an_addressee_who_may_be_taken_later_keeps_the_letter_for_all(reach: Reach):
    with mailserver(recipients={"full@firm.example": "452 4.2.2 full"}) as server:
        async with opened(server.port, reach, "in@firm.example, full@firm.example") as driver:
            with pytest.raises(ProviderError) as caught:
                await driver.send(letter(("a.pdf", of_bytes(PDF))), committed)
            server.recipients.clear()
            await driver.send(letter(("a.pdf", of_bytes(PDF))), committed)

    assert caught.value.kind == "transient"
    assert len(server.taken) == 1


@pytest.mark.parametrize("to", ["", "nobody", "a@b>\r\nDATA", "x@firm.example\r\nRCPT TO:<y@firm.example>"])
async def test_addressees_that_are_none_are_never_sent(to: str, reach: Reach):
    with mailserver() as server:
        error = await refused(server, reach, letter(("a.pdf", of_bytes(PDF))), to)

    assert (error.kind, error.reason) == ("config", Reason.INVALID)
    assert server.taken == []


async def test_an_answer_that_is_lost_at_the_very_end_is_unsure(reach: Reach):
    with mailserver(last=None) as server:
        error = await refused(server, reach, letter(("a.pdf", of_bytes(PDF))))

    assert isinstance(error, Unsure)
    assert len(server.taken) == 1


@pytest.mark.parametrize("after", [1, 60, 200, 400, 1000, 9000])
async def test_a_line_that_is_cut_before_the_end_sends_nothing_and_is_never_unsure(after: int, reach: Reach):
    points: list[str] = []

    async def committing() -> None:
        points.append("committed")

    with mailserver() as server:
        async with cut_line(server.port, after) as line:
            with pytest.raises(ProviderError) as caught:
                async with opened(line.port, reach) as driver:
                    await driver.send(letter(("a.pdf", of_bytes(PDF * 20))), committing)
        again = await sent(server, reach, letter(("a.pdf", of_bytes(PDF))))

    assert line.cut
    assert caught.value.kind == "transient"
    assert isinstance(caught.value, Unsure) == bool(points)
    assert len(server.taken) == 1
    assert again.message_id


async def test_bytes_that_are_others_spoil_the_letter_and_the_next_one_goes(reach: Reach):
    wrong = Body(len(PDF), hashlib.sha256(b"other").hexdigest(), "application/pdf", of_bytes(PDF).open)
    gone = ProviderError("transient", Reason.CONTENT_UNAVAILABLE, "The platform does not answer.")

    async def broken() -> AsyncIterator[bytes]:
        yield PDF[:5000]
        raise gone

    with mailserver() as server:
        async with opened(server.port, reach) as driver:
            for spoiling in (wrong, Body(len(PDF), "0" * 64, "x/y", broken)):
                with pytest.raises(Spoilt) as caught:
                    await driver.send(letter(("a.pdf", of_bytes(PDF)), ("b.pdf", spoiling)), committed)
                assert caught.value.number == 1
            await driver.send(letter(("a.pdf", of_bytes(PDF))), committed)

    assert caught.value.error is gone
    assert server.documents() == [{"a.pdf": PDF}]


async def test_a_subject_or_name_adds_no_line_to_the_head(reach: Reach):
    mail = Letter(
        REFERENCE, "Hello\r\nBcc: eve@evil.example", ".\r\n.", [Enclosure("a\r\nX: y.pdf", of_bytes(PDF))]
    )
    with mailserver() as server:
        await refused(server, reach, mail)
        await sent(
            server, reach, Letter(REFERENCE, "Hello", ".\r\n..\r\n", [Enclosure("a.pdf", of_bytes(PDF))])
        )

    assert len(server.taken) == 1
    assert server.taken[0].get_body().get_content() == ".\r\n..\r\n"  # type: ignore[union-attr]
