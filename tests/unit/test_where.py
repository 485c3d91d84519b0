"""Commands beside a running `up` find what it brought, and what was set counts more."""

from __future__ import annotations

from pathlib import Path

from kit.settings import Settings
from paperbus.services import Embedded
from paperbus.where import told, with_console, with_databases, with_servers

MONGO = "mongodb://127.0.0.9:27017/?replicaSet=rs0"


def test_what_a_running_up_brought_is_found_by_its_data_folder(tmp_path: Path) -> None:
    settings = Settings.load({"PAPERBUS_DATA": str(tmp_path)})

    with told(tmp_path, Embedded("127.0.0.9:9092", MONGO), "http://127.0.0.9:8100"):
        assert with_servers(settings).kafka_bootstrap_servers == "127.0.0.9:9092"
        assert with_databases(settings) == MONGO
        assert with_console(settings).paperbus_console_url == "http://127.0.0.9:8100"

    assert with_console(settings) == settings


def test_what_was_set_counts_more(tmp_path: Path) -> None:
    said = {"PAPERBUS_CONSOLE_URL": "https://console.example", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.3:1"}
    settings = Settings.load({"PAPERBUS_DATA": str(tmp_path), **said})

    with told(tmp_path, Embedded("127.0.0.9:9092", MONGO), "http://127.0.0.9:8100"):
        assert with_console(settings).paperbus_console_url == "https://console.example"
        assert with_servers(settings).kafka_bootstrap_servers == "127.0.0.3:1"
