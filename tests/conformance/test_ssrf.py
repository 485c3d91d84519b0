"""Whatever a customer types as an address, no driver connects to where providers may not live: not once."""

import asyncio
import contextlib
import itertools
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from answering import answering
from subjects import CANARY, manifest

from providers.drivers import KINDS, introduce, open_driver
from providers.egress import Guard
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.reasons import Reason

DRESSES = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7F.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",  # noqa: S104 - is refused
    "127.0.0.1.",
    "127。0。0。1",
    "１２７.0.0.1",
    "⑫7.0.0.1",
    "localhost",
    "LOCALHOST.",
    "10.0.0.1",
    "192.168.0.1",
    "172.31.255.255",
    "100.64.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "100.100.100.200",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:169.254.169.254]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
]
"""Loopback, private, link-local, metadata, mapped, NAT64, 6to4 and Teredo addresses, in every spelling."""
ELSEWHERE = ("169.254.169.254", "10.0.0.1", "127.0.0.2", "fd00:ec2::254", "::ffff:7f00:1")
"""Where a name leads that answered well at first: another forbidden range each time."""
SECURITIES = {"ftp": ("explicit", "implicit", "none"), "smtp": ("tls", "none"), "imap": ("tls", "none")}

connects: list[Any] = []
"""Every address that this process asks the system to connect to, whichever library does it."""
_told_of: list[bool] = []


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _told_of and args[0].family in (socket.AF_INET, socket.AF_INET6):
        connects.append(args[1])


sys.addaudithook(_hear)


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    connects.clear()
    _told_of.append(True)
    yield
    _told_of.clear()


@pytest.fixture
async def listener() -> AsyncIterator[list[str]]:
    """Who is let in on loopback, at a port that every driver is sent to."""
    met: list[str] = []

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(str(writer.get_extra_info("sockname")))
        writer.transport.abort()

    servers = [await asyncio.start_server(meet, "127.0.0.1", 0)]
    port = servers[0].sockets[0].getsockname()[1]
    with contextlib.suppress(OSError):  # a machine without IPv6
        servers.append(await asyncio.start_server(meet, "::1", port))
    met.append(str(port))
    try:
        yield met
    finally:
        for server in servers:
            server.close()


def login(kind: str, host: str, port: int, security: str) -> dict[str, Any]:
    who = {"username": "jane", "password": CANARY}
    match kind:
        case "webdav" | "rest":
            return {"url": f"{security}://{host}:{port}/dav", **who}
        case "object":
            keys = {"access_key_id": "jane", "secret_access_key": CANARY}
            return {"endpoint": f"{security}://{host}:{port}", "bucket": "papers", **keys}
        case _:
            more = {"security": security, "sender": "jane@example.org", "to": "joe@example.org"}
            return {"host": host, "port": port, **who, **(more if kind != "sftp" else {})}


def ways() -> list[tuple[str, str]]:
    """Each driver, with and without TLS."""
    web = ("https", "http")
    return [(kind, way) for kind in KINDS for way in SECURITIES.get(kind, web if kind != "sftp" else ("",))]


async def told(kind: str, credentials: dict[str, Any], reach: Reach) -> Reason | None:
    try:
        if kind == "sftp":
            await introduce(manifest(kind), credentials, reach)
        async with open_driver(manifest(kind), credentials, {}, reach) as driver:
            await driver.check()
    except ProviderError as error:
        said = error
    else:
        return None
    assert CANARY not in str(said)
    assert said.message.endswith(".")
    return said.reason


@pytest.mark.parametrize(("kind", "security"), ways())
async def test_no_spelling_of_a_forbidden_address_is_connected_to(
    kind: str, security: str, listener: list[str]
):
    port = int(listener.pop(0))
    refused = {}
    async with Reach(Guard(), patience=1) as reach:
        for host in DRESSES:
            refused[host] = await told(kind, login(kind, host, port, security), reach)

    assert (connects, listener) == ([], [])
    allowed = (Reason.ADDRESS_REFUSED, Reason.HOST_UNREACHABLE, Reason.INVALID)
    assert all(reason in allowed for reason in refused.values()), refused
    plain = [refused[host] for host in DRESSES if host[0].isdigit() and host.isascii()]
    assert set(plain) == {Reason.ADDRESS_REFUSED}


@pytest.mark.parametrize(("kind", "security"), ways())
@pytest.mark.parametrize("looks_before", [1, 2])
async def test_a_name_that_answers_otherwise_at_the_next_look_leads_nowhere_else(
    kind: str, security: str, looks_before: int, listener: list[str]
):
    """Whichever look the answer changes after, and wherever it leads then: never there."""
    port = int(listener.pop(0))
    looks: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        looks.append(host)
        return ["127.0.0.1"] if len(looks) <= looks_before else [next(elsewhere)]

    elsewhere = itertools.cycle(ELSEWHERE)
    said = None
    async with Reach(Guard(["127.0.0.1/32"], rebinding), patience=1) as reach:
        for _ in range(2 * len(ELSEWHERE)):
            said = await told(kind, login(kind, "rebinding.example", port, security), reach)

    assert len(looks) >= looks_before + len(ELSEWHERE), "the name was not looked up anew"
    assert {where[0] for where in connects} <= {"127.0.0.1"}
    assert said is Reason.ADDRESS_REFUSED
    if looks_before == 2:
        assert connects, "nobody was let in at first"


@pytest.mark.parametrize("kind", ["webdav", "object", "rest"])
@pytest.mark.parametrize("where", ["http://127.0.0.2", "https://127.0.0.2", "http://169.254.169.254/latest"])
async def test_a_redirect_is_connected_to_on_no_call(kind: str, where: str):
    answer = (307, {"Location": where}, b"")
    methods = dict.fromkeys(("PROPFIND", "GET", "HEAD", "PUT", "MKCOL", "MOVE", "DELETE"), answer)
    async with answering(**methods) as server, Reach(Guard(["127.0.0.1/32"]), patience=1) as reach:
        assert await told(kind, login(kind, "127.0.0.1", server.port, "http"), reach) is not None
        assert server.asked, "the redirect was never given"

    assert {at[0] for at in connects} == {"127.0.0.1"}


async def test_the_address_that_an_ftp_server_names_for_its_data_is_not_used():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        replies = {"USER": "331 go on", "PASS": "230 in", "PWD": '257 "/"', "EPSV": "502 no"}
        replies |= {"PASV": "227 Entering (169,254,169,254,0,80)", "FEAT": "211 none", "TYPE": "200 so"}
        writer.write(b"220 hello\r\n")
        with contextlib.suppress(ConnectionError):
            while line := (await reader.readline()).decode():
                named.append(line.split()[0])
                writer.write(f"{replies.get(line.split()[0], '200 so')}\r\n".encode())
                await writer.drain()
        writer.transport.abort()

    named: list[str] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Reach(Guard(["127.0.0.0/8"]), patience=1) as reach:
        credentials = login("ftp", "127.0.0.1", port, "none")
        with contextlib.suppress(ProviderError):
            async with open_driver(manifest("ftp"), credentials, {}, reach) as driver:
                await driver.choices("folder")

    assert "PASV" in named, named
    assert {at[0] for at in connects} == {"127.0.0.1"}
