"""Nothing but listed private networks and the public Internet is ever spoken to."""

import asyncio
import socket
from collections.abc import Sequence

import pytest

from providers.egress import Guard, url_parts
from providers.errors import ProviderError
from schemas.reasons import Reason

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
]
NEVER = [
    "0.0.0.0",  # noqa: S104 - bound to nothing, refused
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
DISGUISED = ["2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001", "[::1]", "127.0.0.1.", "0"]
PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:830::200e"]
EVERYWHERE = ["0.0.0.0/0", "::/0"]


async def of(guard: Guard, host: str) -> Reason | None:
    try:
        await guard.resolve(host, 443)
    except ProviderError as error:
        return error.reason
    return None


def resolving(*addresses: str) -> Guard:
    async def names(host: str, port: int) -> Sequence[str]:
        return addresses

    return Guard(["127.0.0.0/8"], names)


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_address_is_refused_until_its_network_is_listed(address: str):
    assert await of(Guard(), address) is Reason.ADDRESS_REFUSED
    assert await of(Guard(EVERYWHERE), address) is None


@pytest.mark.parametrize("address", NEVER)
async def test_an_address_that_no_provider_lives_at_is_refused_whatever_is_listed(address: str):
    assert await of(Guard(), address) is Reason.ADDRESS_REFUSED
    assert await of(Guard([*EVERYWHERE, "169.254.0.0/16"]), address) is Reason.ADDRESS_REFUSED


@pytest.mark.parametrize("host", DISGUISED)
async def test_an_address_in_another_dress_is_the_same_address(host: str):
    assert await of(Guard(), host) is Reason.ADDRESS_REFUSED


@pytest.mark.parametrize("address", PUBLIC)
async def test_a_public_address_is_allowed_and_is_never_private(address: str):
    guard = Guard(EVERYWHERE)
    (found,) = await guard.resolve(address, 443)

    assert not guard.is_private(found)


@pytest.mark.parametrize("bad", ["10.0.0.1", "169.254.169.254", "::1", "64:ff9b::a00:1"])
async def test_one_forbidden_address_of_a_name_refuses_the_name(bad: str):
    assert await of(resolving("8.8.8.8", bad), "mixed.example") is Reason.ADDRESS_REFUSED
    assert await of(resolving(bad, "8.8.8.8"), "mixed.example") is Reason.ADDRESS_REFUSED


async def test_a_name_without_addresses_is_unreachable():
    async def none(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    assert await of(resolving(), "empty.example") is Reason.HOST_UNREACHABLE
    assert await of(Guard(names=none), "nowhere.example") is Reason.HOST_UNREACHABLE
    assert await of(Guard(names=none), "bücher..example") is Reason.HOST_UNREACHABLE


async def test_a_name_that_nobody_knows_is_told_from_a_server_that_does_not_answer():
    async def none(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ProviderError) as dead:
            await resolving("127.0.0.1").connect("dav.example", bound.getsockname()[1])
    for guard, name in ((Guard(names=none), "dav.example"), (resolving(), "dav.example")):
        with pytest.raises(ProviderError) as nowhere:
            await guard.resolve(name, 443)
        for language in ("en", "fr", "de"):
            said = nowhere.value.text.said(language)
            assert name in said
            assert said != dead.value.text.said(language)
        assert (nowhere.value.kind, nowhere.value.reason) == (dead.value.kind, dead.value.reason)


async def test_a_name_is_resolved_once_and_the_checked_address_connected_to():
    """A name that answers differently the second time (rebinding) is never asked a second time."""
    asked: list[str] = []
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with await Guard(["127.0.0.0/8"], rebinding).connect("Rebinding.Example", port) as sock:
        assert sock.getpeername() == ("127.0.0.1", port)
    assert asked == ["rebinding.example"]
    server.close()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example",
        "https://",
        "https://jane:pw@x.example/",
        "file:///etc/passwd",
        "https://x.example:99999",
        "x",
    ],
)
def test_an_address_that_is_no_plain_web_address_is_invalid(url: str):
    with pytest.raises(ProviderError) as caught:
        url_parts(url)

    assert caught.value.reason is Reason.INVALID
    assert "pw" not in str(caught.value)


async def test_plain_http_works_within_listed_networks_only():
    public, private = resolving("8.8.8.8"), resolving("127.0.0.1")
    await private.check_url("http://dav.example/x")
    await public.check_url("https://dav.example/x")
    with pytest.raises(ProviderError) as caught:
        await public.check_url("http://dav.example/x")

    assert caught.value.reason is Reason.ADDRESS_REFUSED
    assert "https" in caught.value.message


def test_what_is_no_network_is_told_at_the_start():
    with pytest.raises(ValueError, match="not appear to be an IPv4 or IPv6 network"):
        Guard(["everywhere"])
