"""The guard on the way out: a host is resolved once, every address checked, and the checked one connected to.

No protocol here: aiohttp takes `Guard` as its resolver (providers/wire.py), SSH takes the socket of
`connect`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Protocol
from urllib.parse import urlsplit

from providers.errors import ProviderError
from providers.words import words
from schemas.reasons import Reason

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

RESOLVE_SECONDS = 10.0
CONNECT_SECONDS = 10.0

_GLOBAL_V6 = IPv6Network("2000::/3")
_NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "100.100.100.200/32",  # metadata of one cloud, inside the carriers' range
        "168.63.129.16/32",  # the wire server of one cloud: looks public, is local
        "169.254.0.0/16",  # link-local, most clouds' metadata
        "192.0.0.0/24",  # protocol assignments, metadata of one cloud
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.175.48.0/24",  # AS112
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # protocol assignments, Teredo, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "2620:4f:8000::/48",  # AS112
        "fd00:ec2::/32",  # metadata of one cloud
        "fd20:ce::/32",  # metadata of another
    )
)
"""Never spoken to, whatever is listed (RFC 6890 and the IANA registries that it founded). The standard
library's `is_global` lets NAT64, 6to4, multicast and `::127.0.0.1` through; IPv6 outside of `_GLOBAL_V6`
needs no line."""
_PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "::1/128",  # loopback
        "fc00::/7",
    )
)
"""Spoken to where a listed network holds them."""


class Names(Protocol):
    """What resolves a host name: the operating system, or a promise of it in tests."""

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Every address of `host`, as text; raises `OSError` where there is none."""


async def system_names(host: str, port: int) -> Sequence[str]:
    """The addresses that the operating system knows for `host`, in its order."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class Guard:
    """Which addresses may be spoken to: the public ones, and private ones that lie in a listed network.

    Loopback is private too. Metadata, link-local, multicast, reserved and IPv4-in-IPv6 addresses are refused
    whatever is listed.

    Args:
        private_networks: CIDRs of `PAPERBUS_PRIVATE_NETWORKS`.
        names: what resolves host names.

    Raises:
        ValueError: where one is no network.
    """

    def __init__(self, private_networks: Iterable[str] = (), names: Names = system_names) -> None:
        self._private: tuple[Network, ...] = tuple(ipaddress.ip_network(each) for each in private_networks)
        self._names = names

    def is_private(self, address: Address) -> bool:
        """Whether this is a private address that may be spoken to, plainly (http:) even."""
        return (
            not _within(address, _NEVER)
            and _within(address, _PRIVATE)
            and _within(address, self._private)
            and getattr(address, "scope_id", None) is None
        )

    def allows(self, address: Address) -> bool:
        """Whether this address may be spoken to."""
        if self.is_private(address):
            return True
        if isinstance(address, IPv4Address):
            return not _within(address, (*_NEVER, *_PRIVATE))
        return address.scope_id is None and address in _GLOBAL_V6 and not _within(address, _NEVER)

    async def resolve(self, host: str, port: int) -> tuple[Address, ...]:
        """Every address of `host`, all of them allowed: one that is not refuses the host as a whole.

        Raises:
            ProviderError: `address_refused`, or `host_unreachable` where the name does not resolve.
        """
        name = plain_host(host)
        if (literal := _literal(name)) is not None:
            found: tuple[Address, ...] = (literal,)
        else:
            try:
                async with asyncio.timeout(RESOLVE_SECONDS):
                    answers = await self._names(name, port)
            except (OSError, ValueError, TimeoutError):
                raise unknown(name) from None
            found = tuple(ipaddress.ip_address(answer) for answer in answers)
        if not found:
            raise unknown(name)
        if not all(self.allows(address) for address in found):
            raise refused(name)
        return found

    async def resolve_plainly(self, host: str, port: int) -> tuple[Address, ...]:
        """As `resolve`, for what goes without TLS: listed private networks only.

        Raises:
            ProviderError: as `resolve`; `address_refused` for a public address.
        """
        found = await self.resolve(host, port)
        if not all(self.is_private(address) for address in found):
            raise plain(host)
        return found

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connected, non-blocking TCP socket to a checked address of `host`; the caller closes it.

        The caller gives `host` to TLS or SSH as the name to check, never the address.

        Raises:
            ProviderError: as `resolve`, or `host_unreachable` where no address answers.
        """
        return await _connected(host, port, await self.resolve(host, port))

    async def connect_plainly(self, host: str, port: int) -> socket.socket:
        """As `connect`, for what goes without TLS: see `resolve_plainly`."""
        return await _connected(host, port, await self.resolve_plainly(host, port))

    async def check_url(self, url: str) -> None:
        """Refuse an address that is no plain https one, or http outside of the listed private networks.

        Raises:
            ProviderError: `address_refused`, `host_unreachable`, or `invalid` where it cannot be read.
        """
        host, port, secure = url_parts(url)
        await (self.resolve(host, port) if secure else self.resolve_plainly(host, port))


async def _connected(host: str, port: int, addresses: Sequence[Address]) -> socket.socket:
    loop = asyncio.get_running_loop()
    for address in addresses:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.sock_connect(sock, (str(address), port))
        except (OSError, OverflowError, TimeoutError):
            sock.close()
        except BaseException:
            sock.close()
            raise
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise unreachable(host)


def url_parts(url: str) -> tuple[str, int, bool]:
    """Host, port and whether it is https.

    Raises:
        ProviderError: `invalid` for anything but http and https, and for user names within the address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ProviderError(
            "config",
            Reason.INVALID,
            words("full_address"),
        )
    secure = parts.scheme == "https"
    return parts.hostname, port or (443 if secure else 80), secure


def plain_host(host: str) -> str:
    """The host name in ASCII (IDNA), lower case, without brackets and without the dot at its end."""
    name = host.strip().strip("[]").rstrip(".").lower()
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        raise unknown(host) from None


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _literal(name: str) -> Address | None:
    """The address that `name` is, in any form that resolvers take: `127.1`, `0x7f000001`, `2130706433`."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(name))
    except (OSError, ValueError):
        return None


def refused(host: str) -> ProviderError:
    """The host lies where providers may not live."""
    return ProviderError(
        "config",
        Reason.ADDRESS_REFUSED,
        words("address_refused", host=host),
    )


def plain(host: str) -> ProviderError:
    """Plain http is for listed private networks."""
    return ProviderError(
        "config",
        Reason.ADDRESS_REFUSED,
        words("https_only", host=host),
    )


def unknown(host: str) -> ProviderError:
    """The name does not resolve: mistyped, gone, or its name server has an outage."""
    return ProviderError(
        "transient",
        Reason.HOST_UNREACHABLE,
        words("unknown_host", host=host),
    )


def unreachable(host: str) -> ProviderError:
    """The host does not answer."""
    return ProviderError(
        "transient",
        Reason.HOST_UNREACHABLE,
        words("unreachable", host=host),
    )


def untrusted(host: str) -> ProviderError:
    """TLS could not be set up with the host."""
    return ProviderError(
        "config",
        Reason.CERTIFICATE_INVALID,
        words("untrusted", host=host),
    )
