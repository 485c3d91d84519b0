"""What a deployment is begun with: its `.env`, and a MongoDB that lets each service into its own database."""

from __future__ import annotations

import base64
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from starting import command

from kit.settings import Settings
from kit.tokens import private_key, public_keys
from paperbus.databases import USERS
from paperbus.local.folder import LOOPBACK, free_port
from paperbus.local.mongo import mongod
from paperbus.services import NAMES


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A fresh `.env`, and what a shell or compose reads from it."""
    folder = tmp_path_factory.mktemp("deployment")
    made = command("keys", "new", "--into", str(folder), "--console", "https://console.example")
    assert made.returncode == 0, made.stderr
    lines = (folder / ".env").read_text().splitlines()
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    return folder, {name: "".join(shlex.split(value)) for name, value in pairs}


def test_the_keys_are_those_that_the_services_take(env: tuple[Path, dict[str, str]]) -> None:
    _, values = env
    everyone = public_keys(values["PAPERBUS_SERVICE_KEYS"], "PAPERBUS_SERVICE_KEYS")

    for name in NAMES:
        own = private_key(values[f"SERVICE_KEY_{name.upper().replace('-', '_')}"], "PAPERBUS_SERVICE_KEY")
        assert own.kid == name
        assert everyone.get_by_kid(name).thumbprint() == own.thumbprint()
    settings = Settings.load({name: value for name, value in values.items() if name.startswith("PAPERBUS_")})
    assert settings.paperbus_console_url == "https://console.example"
    assert settings.paperbus_vault_keys is not None
    assert len({values[f"MONGO_PASSWORD_{user.upper().replace('-', '_')}"] for user in USERS}) == len(USERS)


def test_the_file_is_its_owner_s_alone_and_never_written_over(env: tuple[Path, dict[str, str]]) -> None:
    folder, _ = env
    before = (folder / ".env").read_bytes()

    again = command("keys", "new", "--into", str(folder))

    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert (folder / ".env").read_bytes() == before
    assert [(folder / name).stat().st_mode & 0o77 for name in (".env", "platform-key.json")] == [0, 0]


def test_a_private_key_is_no_platform_key(env: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    folder, _ = env
    (tmp_path / "set.json").write_text('{"keys":[' + (folder / "platform-key.json").read_text() + "]}")

    refused = command("keys", "new", "--into", str(tmp_path), "--platform", str(tmp_path / "set.json"))

    assert "holds a private key" in refused.stderr
    assert not (tmp_path / ".env").exists()


@pytest.fixture(scope="module")
def locked_mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a mongod that is new, wants logins, and is in no replica set yet."""
    folder, port = tmp_path_factory.mktemp("mongod"), free_port()
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(base64.b64encode(secrets.token_bytes(96)).decode())
    options = {"dbpath": folder, "bind_ip": LOOPBACK, "port": port, "replSet": "rs0", "keyFile": key}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with subprocess.Popen(
        [mongod(), "--quiet", "--nounixsocket", *words], stdout=subprocess.DEVNULL
    ) as process:
        yield port
        process.kill()


@pytest.mark.servers
def test_each_service_gets_its_own_database_and_no_other(
    env: tuple[Path, dict[str, str]], locked_mongod: int
) -> None:
    _, values = env
    passwords = {name: value for name, value in values.items() if name.startswith("MONGO_PASSWORD_")}
    url, member = f"mongodb://{LOOPBACK}:{locked_mongod}/", f"{LOOPBACK}:{locked_mongod}"
    asked = ("databases", "--member", member)

    first = command(*asked, MONGO_URL=url, **passwords)
    again = command(*asked, MONGO_URL=url, **passwords)
    other = command(*asked, MONGO_URL=url, **passwords | {"MONGO_PASSWORD_ADMIN": "another"})

    assert first.returncode == 0, first.stderr
    assert first.stdout.count("Made the user") == len(USERS)
    assert again.stdout == "The databases are ready.\n"
    assert "another password for `admin`" in other.stderr
    as_catalog = {"username": "catalog", "password": values["MONGO_PASSWORD_CATALOG"], "replicaSet": "rs0"}
    with MongoClient(url, **as_catalog) as client:
        client.catalog.providers.insert_one({"_id": 1})
        with pytest.raises(OperationFailure, match="not authorized"):
            client.connections.connections.find_one()
    stranger = command(
        "admin", "connections", "list", MONGO_URL=f"mongodb://catalog:wrong@{member}/?replicaSet=rs0"
    )
    assert stranger.stderr == "MongoDB refuses the login: check the user and the password in MONGO_URL.\n"
