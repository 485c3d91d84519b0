"""Every provider of the catalogue: reached through the guard alone, with no secret in an error; and the plain
ones at servers that nobody here wrote.
"""

import contextlib
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from mailserver import mailserver
from subjects import CANARY, LOOPBACK
from targets import PASSWORD, USER, Target, rclone_ftp, rclone_s3, rclone_sftp, rclone_webdav

from providers.content import of_bytes
from providers.drivers import introduce, open_driver
from providers.egress import Guard
from providers.errors import ProviderError
from providers.manifests import CATALOGUE, load
from providers.outbox import is_outbox
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import Reason

OURS = [load(path.parent) for path in sorted(CATALOGUE.glob("*/manifest.yaml"))]
EXPORTS = [manifest for manifest in OURS if "export" in manifest.directions]
FITTING = {
    "url": "https://cloud.example.com",
    "endpoint": "https://s3.example.com",
    "host": "host.example.com",
    "bucket": "papers",
    "account": "0123456789abcdef0123456789abcdef",
    "sender": "jane@firm.example",
    "username": "jane",
}
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()


def credentials(manifest: Manifest) -> dict[str, Any]:
    """What fits the login; every secret is the canary."""
    given: dict[str, Any] = {"host_key": HOST_KEY}
    for field in manifest.credentials:
        if field.secret:
            given[field.name] = f"{CANARY}-{field.name}"
        elif field.choices:
            given[field.name] = field.default or field.choices[0].value
        else:
            given[field.name] = FITTING.get(field.name, field.default)
    given.pop("private_key", None)
    if manifest.id == "hetzner-storage-box":
        given["username"] = "u123456"
    return given


@pytest.mark.parametrize("manifest", EXPORTS, ids=lambda manifest: manifest.id)
async def test_a_provider_is_reached_by_name_and_only_through_the_guard(manifest: Manifest):
    if any(not hasattr(step, "fields") and not hasattr(step, "confirm") for step in manifest.login):
        pytest.skip("by capability: this login is more than fields to fill in")
    asked: list[str] = []

    async def names(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with Reach(Guard((), names)) as reach:
        with pytest.raises(ProviderError) as caught:
            async with open_driver(manifest, credentials(manifest), {"to": "a@b.example"}, reach) as driver:
                await driver.check()

    assert caught.value.reason is Reason.ADDRESS_REFUSED, caught.value
    assert asked
    assert all("." in host and "{" not in host for host in asked)
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


@contextlib.contextmanager
def a_server(kind: str, folder: Path) -> Iterator[Target]:
    serve = {"webdav": rclone_webdav, "sftp": rclone_sftp, "ftp": rclone_ftp, "s3": rclone_s3}[kind]
    (folder / "papers").mkdir(parents=True)
    with serve(folder) as target:
        yield target


@pytest.mark.targets
@pytest.mark.parametrize("kind", ["webdav", "sftp", "ftp", "s3"])
async def test_the_plain_providers_take_a_document_with_what_their_login_asks_for(kind: str, tmp_path: Path):
    manifest = load(CATALOGUE / kind)
    asked = {field.name for field in manifest.credentials}
    with a_server(kind, tmp_path / "files") as target:
        login = {
            "url": target.url,
            "host": target.host,
            "port": target.port,
            "security": "none",
            "username": target.username,
            "password": target.password,
            "endpoint": target.url,
            "region": "us-east-1",
            "bucket": "papers",
            "access_key_id": target.username,
            "secret_access_key": target.password,
        }
        given = {name: value for name, value in login.items() if name in asked}
        async with Reach(Guard(LOOPBACK)) as reach:
            met = await introduce(manifest, given, reach)
            async with open_driver(manifest, {**given, **(met.pins if met else {})}, {}, reach) as driver:
                await driver.check()
                await driver.put("/a.pdf", of_bytes(b"%PDF"))
        seen = list((tmp_path / "files").rglob("a.pdf"))

    assert [file.read_bytes() for file in seen] == [b"%PDF"]


INBOXES = [each for each in EXPORTS if is_outbox(each) and "host" not in each.driver.settings]


@pytest.mark.parametrize("manifest", INBOXES, ids=lambda manifest: manifest.id)
async def test_every_inbox_is_reached_over_the_customers_own_mail_server(manifest: Manifest):
    with mailserver() as server:
        login = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": USER}
        given = {**login, "password": PASSWORD, "sender": "jane@firm.example"}
        async with (
            Reach(Guard(LOOPBACK)) as reach,
            open_driver(manifest, given, {"to": "inbox@firm.example"}, reach) as driver,
        ):
            await driver.check()
            identity = await driver.identity()

    assert identity == "jane@firm.example"
    assert server.taken == []
