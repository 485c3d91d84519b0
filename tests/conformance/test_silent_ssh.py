"""An SFTP server that keeps the line open and answers nothing more holds nobody up."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from subjects import LOOPBACK, manifest

from providers.content import of_bytes
from providers.drivers import Driver, introduce, open_driver
from providers.egress import Guard
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.reasons import Reason

CALLS: dict[str, Callable[[Driver], Awaitable[object]]] = {
    "stat": lambda driver: driver.find("/a.pdf"),
    "read": lambda driver: driver.same_bytes("/a.pdf", 5, "0" * 64),
    "write": lambda driver: driver.put("/b.pdf", of_bytes(b"bytes")),
    "close": lambda driver: driver.put("/b.pdf", of_bytes(b"bytes")),
}


class NoLogin(asyncssh.SSHServer):
    """Lets everybody in."""

    def begin_auth(self, username: str) -> bool:
        return False


@pytest.mark.parametrize("call", CALLS)
async def test_a_call_that_is_not_answered_is_given_up(call: str, tmp_path: Path):
    (tmp_path / "a.pdf").write_bytes(b"bytes")

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    opened: list[Any] = []

    def remembered(self: asyncssh.SFTPServer, *args: Any) -> Any:
        opened.append(asyncssh.SFTPServer.open(self, *args))
        return opened[-1]

    silent = type("Silent", (asyncssh.SFTPServer,), {"open": remembered, call: never})
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=NoLogin,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        sftp_factory=lambda chan: silent(chan, chroot=bytes(tmp_path)),
    )
    login = {"host": "127.0.0.1", "port": server.get_port(), "username": "jane", "password": "x"}
    async with server, Reach(Guard(LOOPBACK), patience=0.5) as reach:
        met = await introduce(manifest("sftp"), login, reach)
        assert met is not None
        async with open_driver(manifest("sftp"), {**login, **met.pins}, {}, reach) as driver:
            with pytest.raises(ProviderError) as caught:
                await asyncio.wait_for(CALLS[call](driver), 15)
    for file in opened:
        file.close()

    assert caught.value.reason is Reason.PROVIDER_DOWN


async def test_a_host_that_hangs_up_at_once_is_down_and_no_bug_of_ours():
    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login = {"host": "127.0.0.1", "port": port, "username": "jane", "password": "x", "host_key": key}
    async with server, Reach(Guard(LOOPBACK), patience=0.5) as reach:
        for _ in range(20):
            for meets in (introduce(manifest("sftp"), login, reach), _opened(login, reach)):
                with pytest.raises(ProviderError) as caught:
                    await meets
                assert caught.value.reason is Reason.PROVIDER_DOWN


async def _opened(login: dict[str, Any], reach: Reach) -> None:
    async with open_driver(manifest("sftp"), login, {}, reach):
        raise AssertionError("it opened")
