"""Settings: the names of the contract, one sentence for what is wrong, never a value."""

from pathlib import Path

import pytest

from kit.settings import Settings, SettingsError, strangers


def test_nothing_set_means_loopback_and_embedded_servers() -> None:
    settings = Settings.load({})

    assert (settings.kafka_bootstrap_servers, settings.mongo_url) == (None, None)
    assert str(settings.paperbus_listen) == "127.0.0.1"
    assert settings.paperbus_connections_url == "http://127.0.0.1:8102"
    assert settings.origins == ("http://127.0.0.1:8100",)


def test_lists_are_separated_by_commas_and_addresses_lose_their_last_slash() -> None:
    settings = Settings.load(
        {
            "PAPERBUS_RETURN_ORIGINS": "https://app.example/, https://Other.example:8443/x",
            "PAPERBUS_PRIVATE_NETWORKS": "10.0.0.0/8,fd00::/8",
            "PAPERBUS_CONSOLE_URL": "https://console.example/",
        }
    )

    assert settings.origins == (
        "https://app.example",
        "https://other.example:8443",
        "https://console.example",
    )
    assert [str(network) for network in settings.paperbus_private_networks] == ["10.0.0.0/8", "fd00::/8"]


def test_an_empty_value_is_none() -> None:
    assert Settings.load({"MONGO_URL": "", "PAPERBUS_LOG": ""}) == Settings.load({})


def test_a_secret_may_come_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "mongo"
    file.write_text("mongodb://u:canary@db/\n")

    settings = Settings.load({"MONGO_URL_FILE": str(file)})

    assert settings.mongo_url is not None
    assert settings.mongo_url.get_secret_value() == "mongodb://u:canary@db/"
    assert "canary" not in f"{settings!r}{settings}"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}, "KAFKA_SECURITY is missing"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1,kafka:2"}, "KAFKA_SECURITY is missing"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "k:1", "KAFKA_SECURITY": "sasl_ssl"}, "KAFKA_USERNAME is missing"),
        (
            {"KAFKA_BOOTSTRAP_SERVERS": "k:1", "KAFKA_SECURITY": "sasl_ssl", "KAFKA_USERNAME": "u"},
            "KAFKA_PASSWORD is missing",
        ),
        ({"KAFKA_SECURITY": "canary"}, "KAFKA_SECURITY must be"),
        ({"PAPERBUS_LISTEN": "canary"}, "PAPERBUS_LISTEN must be"),
        ({"PAPERBUS_PUBLIC_URL": "canary"}, "PAPERBUS_PUBLIC_URL must be"),
        ({"PAPERBUS_PRIVATE_NETWORKS": "10.0.0.1/8"}, "PAPERBUS_PRIVATE_NETWORKS must hold networks"),
        ({"PAPERBUS_LEDGER_DAYS": "canary"}, "PAPERBUS_LEDGER_DAYS must be"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "http://canary:1"}, "KAFKA_BOOTSTRAP_SERVERS must be addresses"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "kafka:canary"}, "KAFKA_BOOTSTRAP_SERVERS must be addresses"),
        ({"PAPERBUS_TRUSTED_PROXIES": "canary"}, "PAPERBUS_TRUSTED_PROXIES must hold networks"),
        ({"PAPERBUS_CLAMD": "canary"}, "PAPERBUS_CLAMD must be an address"),
        ({"MONGO_URL_FILE": "/canary"}, "MONGO_URL_FILE names a file"),
        ({"MONGO_URL": "a", "MONGO_URL_FILE": "/canary"}, "MONGO_URL and MONGO_URL_FILE are both set"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_it_without_its_value(
    environ: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence) as wrong:
        Settings.load(environ)

    assert "canary" not in str(wrong.value)
    assert str(wrong.value).endswith(".")


@pytest.mark.parametrize("hosts", ["localhost:9092", "127.0.0.1:1,[::1]:2", "127.0.0.9:1"])
def test_plaintext_needs_no_word_on_loopback(hosts: str) -> None:
    assert Settings.load({"KAFKA_BOOTSTRAP_SERVERS": hosts}).kafka_security is None


def test_plaintext_elsewhere_has_to_be_said() -> None:
    said = {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "KAFKA_SECURITY": "plaintext"}

    assert Settings.load(said).kafka_security == "plaintext"


def test_only_names_of_ours_that_no_service_knows_are_strangers() -> None:
    known = {"PAPERBUS_LOG": "info", "PAPERBUS_VAULT_KEYS_FILE": "/x", "KAFKA_OPTS": "x", "HOME": "/"}

    assert strangers(known) == []
    assert strangers(known | {"PAPERBUS_QQQQQQQQQQQQQQQQQQQ": "secret"}) == [
        "PAPERBUS_QQQQQQQQQQQQQQQQQQQ is no setting, so it changes nothing."
    ]
