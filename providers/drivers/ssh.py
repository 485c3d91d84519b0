"""SSH connections: a host that is met for the first time, and one whose key was confirmed. No files here."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import asyncssh

from providers.drivers import Introduction
from providers.drivers.sftpfaults import faults
from providers.drivers.sshprompts import Prompts
from providers.egress import plain_host
from providers.errors import Prompted, ProviderError, broken_off
from providers.reach import Reach
from providers.words import words
from schemas.fields import Words
from schemas.reasons import Reason

LOGIN_SECONDS = 30
CIPHERS = [
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
]
"""asyncssh's own, the ones first that cost it least: 40 % of an upload's time was ChaCha20."""


async def introduce(settings: Mapping[str, Any], reach: Reach) -> Introduction:
    """The host's key, for the customer to compare with what the provider published."""
    host, port = address(settings)
    with _meeting(host):
        async with asyncio.timeout(min(LOGIN_SECONDS, reach.http.seconds_for(0))):
            sock = await reach.guard.connect(host, port)
            key = await asyncssh.get_server_host_key(sock=sock, config=None)
    if key is None:
        raise ProviderError("config", Reason.CERTIFICATE_INVALID, words("no_host_key", host=host))
    kind = key.get_algorithm().removeprefix("ssh-").removeprefix("ecdsa-sha2-").upper()
    return Introduction(
        facts=(
            (Words(en="Server", fr="Serveur", de="Server"), f"{host}:{port}"),
            (Words(en="Type of key", fr="Type de clé", de="Art des Schlüssels"), kind),
            (Words(en="Fingerprint", fr="Empreinte", de="Fingerabdruck"), key.get_fingerprint("sha256")),
        ),
        pins={"host_key": key.export_public_key().decode().strip()},
    )


async def connected(settings: Mapping[str, Any], reach: Reach) -> asyncssh.SSHClientConnection:
    """Logged in, over a socket that the guard made, at a host that shows the confirmed key.

    Raises:
        ProviderError: `certificate_invalid` for another key, `credentials_wrong`, `host_unreachable` …
    """
    host, port = address(settings)
    options = _options(host, settings)
    with _meeting(host):
        async with asyncio.timeout(min(LOGIN_SECONDS, reach.http.seconds_for(0))):
            sock = await reach.guard.connect(host, port)
            if settings.get("interactive"):
                return await _prompted(sock, options, Prompts(settings, reach.clock))
            return await asyncssh.connect(sock=sock, config=None, options=options)


async def _prompted(
    sock: socket.socket, options: asyncssh.SSHClientConnectionOptions, prompts: Prompts
) -> asyncssh.SSHClientConnection:
    """Logged in at a server that asks by itself; raises `Prompted` where it asks what is not known."""
    try:
        return await asyncssh.connect(sock=sock, config=None, options=options, client_factory=lambda: prompts)
    except asyncssh.PermissionDenied:
        if prompts.asked is None:
            raise
        raise Prompted(prompts.asked) from None


@contextmanager
def _meeting(host: str) -> Iterator[None]:
    """As `faults`. asyncssh trips over the name of a peer that hung up before a word was said."""
    with faults(host):
        try:
            yield
        except TypeError:
            raise broken_off(host) from None


def _options(host: str, settings: Mapping[str, Any]) -> asyncssh.SSHClientConnectionOptions:
    """Nothing of this machine's own SSH set-up: no configuration, agent, key or known host."""
    try:
        return asyncssh.SSHClientConnectionOptions(
            config=None,
            known_hosts=([_pinned(host, settings)], [], []),
            username=str(settings["username"]),
            agent_path=None,
            gss_host=None,
            keepalive_interval=20,
            encryption_algs=CIPHERS,
            **_login(settings),
        )
    except ValueError:
        raise ProviderError(
            "auth", Reason.CREDENTIALS_WRONG, words("login_refused"), field="username"
        ) from None


def address(settings: Mapping[str, Any]) -> tuple[str, int]:
    """Host (in ASCII) and port."""
    return plain_host(str(settings["host"])), int(settings.get("port") or 22)


def _pinned(host: str, settings: Mapping[str, Any]) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_public_key(str(settings["host_key"]))
    except (KeyError, asyncssh.KeyImportError):
        raise ProviderError(
            "auth",
            Reason.CERTIFICATE_INVALID,
            words("no_host_key", host=host),
        ) from None


def _login(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What asyncssh logs in with: a key where there is one, else the password, and never both."""
    if settings.get("interactive") and not settings.get("private_key"):
        return {"password": None, "client_keys": None, "preferred_auth": "keyboard-interactive"}
    if not settings.get("private_key"):
        return {"password": str(settings.get("password", "")), "client_keys": None}
    try:
        passphrase = settings.get("passphrase") or None
        key = asyncssh.import_private_key(str(settings["private_key"]).strip() + "\n", passphrase)
    except asyncssh.KeyEncryptionError:
        raise ProviderError(
            "auth", Reason.CREDENTIALS_WRONG, words("wrong_passphrase"), field="passphrase"
        ) from None
    except (asyncssh.KeyImportError, ValueError):
        raise ProviderError(
            "auth",
            Reason.CREDENTIALS_WRONG,
            words("no_private_key"),
            field="private_key",
        ) from None
    return {"client_keys": [key], "password": None, "preferred_auth": "publickey"}
