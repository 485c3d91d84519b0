"""`paperbus up`: real embedded servers, stand-ins for the services, signals from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from starting import ADDRESS, PAPERBUS, Started, clean_environment, command

from paperbus.local.folder import free_port
from paperbus.services import NAMES

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    data = tmp_path_factory.mktemp("up")
    one = Started(data)
    try:
        one.until("Ready")
        yield one
    finally:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def settings_of(started: Started, name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((started.data / f"{name}.settings").read_text())
    return found


def test_services_get_the_servers_and_keys_that_up_made(started: Started) -> None:
    catalog, connections = settings_of(started, "catalog"), settings_of(started, "connections")

    assert catalog["KAFKA_BOOTSTRAP_SERVERS"] == f"{ADDRESS}:{started.ports['kafka']}"
    assert catalog["MONGO_URL"].startswith(f"mongodb://{ADDRESS}:{started.ports['mongo']}/")
    assert catalog["PAPERBUS_CONNECTIONS_URL"] == f"http://{ADDRESS}:8102"
    assert catalog["PAPERBUS_SERVICE_KEY"] != connections["PAPERBUS_SERVICE_KEY"]
    assert "PAPERBUS_VAULT_KEYS" in connections
    assert "PAPERBUS_VAULT_KEYS" not in catalog


def test_no_private_key_is_readable_by_others(started: Started) -> None:
    for path in (started.data / "keys").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    public = json.loads((started.data / "keys" / "services.public.json").read_text())
    assert all("d" not in key for key in public["keys"])


def test_other_commands_find_the_servers_and_the_platform_key_by_the_data_folder(started: Started) -> None:
    data = {"PAPERBUS_DATA": str(started.data)}

    assert command("topics", "--check", **data).stdout == "All topics are as they should be.\n"
    assert command("token", "--account", "acme", "--role", "member", **data).stdout.count(".") == 2
    link = command("link", "--account", "acme", **data).stdout
    assert link.startswith(f"http://{ADDRESS}:8100/enter?token=")


def test_a_service_that_dies_is_started_again_and_said(started: Started) -> None:
    url = f"http://{ADDRESS}:{started.ports['catalog']}"
    before = httpx.get(url).text
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{url}/die")
    said = started.until("catalog ended")
    assert "Again in 1 s." in said
    for _ in range(100):
        try:
            after = httpx.get(url).text
            break
        except httpx.HTTPError:
            time.sleep(0.1)

    assert after != before


def test_a_second_up_on_the_same_folder_is_one_sentence_and_harms_nothing(started: Started) -> None:
    second = Started(started.data, started.ports)
    said = second.process.communicate(timeout=100)[0].splitlines()

    assert second.process.returncode == 1
    user = f"process {started.process.pid}: stop it first, or choose another folder with --data."
    assert said == [f"The data folder {started.data} is in use by {user}"]
    assert started.process.poll() is None


def test_a_port_that_is_taken_is_one_sentence_that_names_who_has_it(tmp_path: Path) -> None:
    with socket.create_server((ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
        refused = Started(tmp_path, {"connections": port})
        said = refused.process.communicate(timeout=100)[0].splitlines()

    assert refused.process.returncode == 1
    assert len(said) == 1
    assert said[0].startswith(f"Port {port} on {ADDRESS} is taken by ")
    assert said[0].endswith(
        f"(process {os.getpid()}): stop that program, or set PAPERBUS_LISTEN to another address."
    )


def test_a_signal_ends_everything_in_under_10_s_and_leaves_no_process(tmp_path: Path) -> None:
    one = Started(tmp_path)
    one.until("Ready")

    ends_at(one, signal.SIGTERM)


def test_a_start_after_kill_9_waits_until_all_that_was_left_is_gone_and_then_ctrl_c_ends_it(
    tmp_path: Path,
) -> None:
    killed = Started(tmp_path, STUB_LINGERS="1")
    killed.until("Ready")
    left = killed.children()
    assert len(left) == 4
    killed.end(signal.SIGKILL)
    again = Started(tmp_path, killed.ports)
    again.until("Ready")

    assert not any(child.is_running() for child in left)
    ends_at(again, signal.SIGINT)


def ends_at(one: Started, which: signal.Signals) -> None:
    """The signal ends everything in order, in time, with nothing left."""
    children = one.children()
    assert len(children) == 4

    assert one.end(which) < 10
    assert one.process.returncode == 0
    assert not any(child.is_running() for child in children)
    assert not (one.data / "servers.json").exists()


def test_a_signal_during_the_start_leaves_nothing(tmp_path: Path) -> None:
    one = Started(tmp_path)
    one.until("Starting")
    deadline = time.monotonic() + 30
    while not (children := one.children()):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert one.end(signal.SIGTERM) < 10
    assert not any(child.is_running() for child in children)


def test_with_servers_set_none_is_started_and_what_cannot_start_ends_all_with_its_own_sentence(
    tmp_path: Path, kafka: str, mongo: str
) -> None:
    servers = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "MONGO_URL": mongo}
    one = Started(tmp_path, **servers, PAPERBUS_VAULT_KEYS="theirs", STUB_FAILS="connections")
    said = one.process.communicate(timeout=100)[0].splitlines()

    assert one.process.returncode == 1
    assert not (tmp_path / "mongo").exists()
    assert not (tmp_path / "keys" / "vault.json").exists()
    assert said[-1].startswith("connections did not start: PAPERBUS_SOMETHING is wrong: mend it (its log is ")


NOT_THERE = {
    "No MongoDB answers at MONGO_URL: check": {"MONGO_URL": "mongodb://127.0.0.1:1/"},
    "MONGO_URL is no address of a MongoDB: write it as": {"MONGO_URL": "mongodb:/misspelt"},
    "Kafka on 127.0.0.1:1 cannot be used: it does not answer": {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"},
}


def test_a_server_that_is_set_but_not_there_is_said_before_anything_starts(tmp_path: Path) -> None:
    def refused(sentence: str) -> None:
        data = tmp_path / str(abs(hash(sentence)))
        done = command("up", "--data", str(data), PAPERBUS_VAULT_KEYS="theirs", **NOT_THERE[sentence])

        assert done.returncode == 1
        assert done.stderr.startswith(sentence)
        assert "Starting" not in done.stdout
        assert not any(data.iterdir())

    with ThreadPoolExecutor() as pool:  # each waits ten seconds for what may be starting
        assert len(list(pool.map(refused, NOT_THERE))) == 3


def test_keys_of_the_vault_that_are_missing_are_said_before_anything_starts(tmp_path: Path) -> None:
    refused = command("up", "--data", str(tmp_path), MONGO_URL="mongodb://127.0.0.1:1/")

    assert refused.stderr.startswith("PAPERBUS_VAULT_KEYS is missing: ")
    assert refused.stdout == ""


def test_a_misspelt_setting_is_said_with_the_nearest_there_is(tmp_path: Path) -> None:
    refused = command(
        "up", "--data", str(tmp_path), PAPERBUS_VALT_KEYS="x", MONGO_URL="mongodb://127.0.0.1:1/"
    )

    assert refused.stdout == (
        "PAPERBUS_VALT_KEYS is no setting, so it changes nothing; did you mean PAPERBUS_VAULT_KEYS?\n"
    )


def test_a_public_address_is_refused_while_servers_are_embedded(tmp_path: Path) -> None:
    refused = command("up", "--data", str(tmp_path), PAPERBUS_LISTEN="0.0.0.0")  # noqa: S104  what is refused

    assert refused.returncode == 1
    assert "embedded servers know no passwords" in refused.stderr


def test_a_part_of_the_services_needs_keys(tmp_path: Path) -> None:
    refused = command("up", "--data", str(tmp_path), "--only", "catalog")

    assert refused.returncode == 1
    assert refused.stderr == "--only needs PAPERBUS_SERVICE_KEY and PAPERBUS_SERVICE_KEYS: set both.\n"


def test_an_unknown_service_is_named_with_those_there_are(tmp_path: Path) -> None:
    refused = command("up", "--data", str(tmp_path), "--only", "catalogue")

    assert refused.returncode == 2
    assert all(name in refused.stderr for name in NAMES)


WAY = (
    "ConnectionRequested",
    "AuthChallengeIssued",
    "AuthChallengeAnswered",
    "ConnectionAuthorized",
    "ConnectionOptionsSubmitted",
    "ConnectionSaved",
    "DocumentReceived",
    "ExportDue",
    "DocumentsExported",
)
"""Of an export; each is shown in a line of its own."""


@dataclass(frozen=True)
class Demo:
    """How `paperbus demo` is started, and how it ended with `--once`."""

    command: list[str]
    environment: dict[str, str]
    once: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    data = tmp_path_factory.mktemp("demo")
    ports = [f"--{name}-port={free_port('127.0.0.78')}" for name in ("kafka", "mongo")]
    arguments, listen = ["demo", "--data", str(data), *ports], {"PAPERBUS_LISTEN": "127.0.0.78"}
    once = command(*arguments, "--once", **listen)
    return Demo([str(PAPERBUS), *arguments], clean_environment() | listen, once)


@pytest.mark.timeout(300)
def test_the_demo_ends_by_itself_once_every_document_has_arrived(demo: Demo) -> None:
    once = demo.once
    assert once.returncode == 0, once.stdout + once.stderr
    shown = re.findall(r"^[\d:.]{12}  \S+ +(\w+)", once.stdout, re.MULTILINE)
    assert set(WAY) <= set(shown)
    assert shown.count("DocumentReceived") == 5
    ledger = once.stdout.partition("Ledger")[2].partition("5 documents arrived byte for byte, each once")
    assert ledger[1], once.stdout
    assert len(re.findall(r"[│|] done +[│|] /Invoices/", ledger[0])) == 5
    assert shown.count("DocumentsImported") == 2, "from a mailbox and from a folder"
    assert "documents came in byte for byte, and were accepted" in ledger[2]
    assert "Traceback" not in once.stderr


@pytest.mark.timeout(300)
def test_a_second_start_of_the_demo_fetches_nothing_and_ctrl_c_ends_its_services_whole(demo: Demo) -> None:
    again = subprocess.Popen(
        demo.command, env=demo.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    for line in again.stdout or ():
        said.append(line)
        if "/enter?token=" in line:
            break
    children = psutil.Process(again.pid).children(recursive=True)
    services = [child.cmdline()[-1] for child in children if "-m" in child.cmdline()]
    again.send_signal(signal.SIGINT)
    said += again.communicate(timeout=60)[0].splitlines(keepends=True)

    assert {"catalog", "connections", "sync_runner", "console"} <= set(services), "".join(said)
    assert again.returncode == 0, "".join(said)
    assert not [line for line in said if "Fetching" in line or "Traceback" in line]
    assert not any(child.is_running() for child in children)


def test_help_loads_no_library_but_clicks() -> None:
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", PAPERBUS, "--help"], capture_output=True, text=True, check=True
    )

    assert "topics" in loaded.stdout
    assert not any(name in loaded.stderr for name in ("pydantic", "aiokafka", "httpx"))
