"""The packaged Kafka and MongoDB as a cluster outside would have them: TLS by an authority, users, rights."""

from __future__ import annotations

import os
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from paperbus.local import EmbeddedKafka, EmbeddedMongo
from paperbus.local.folder import LOOPBACK

ACCESS = Path(__file__).parents[2] / "deploy" / "access.sh"
PASSWORD = "not-a-secret-"
USERS = (
    "admin",
    "topics",
    "catalog",
    "connections",
    "sync-runner",
    "console",
    "platform",
    "scheduler",
    "operator",
)
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


@dataclass(frozen=True)
class Authority:
    """A certificate authority made for the test: its certificate, and a server's own with its key."""

    ca: Path
    server: Path

    @classmethod
    def fresh(cls, folder: Path) -> Authority:
        folder.mkdir(exist_ok=True)
        authority = trustme.CA()
        made = cls(folder / "ca.pem", folder / "server.pem")
        authority.cert_pem.write_to_path(str(made.ca))
        issued = authority.issue_cert(LOOPBACK, "localhost")
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # all that Kafka reads
        made.server.write_bytes(pkcs8 + b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return made


class SecuredKafka(EmbeddedKafka):
    """SASL_SSL for clients, SCRAM users, and nobody may do what no rule allows. `admin` may do everything."""

    protocol = "SASL_SSL"

    def __init__(self, data: Path, authority: Authority) -> None:
        super().__init__(data, port=None)
        self.authority = authority

    def _settings(self) -> dict[str, Any]:
        login = f'{SCRAM} required username="admin" password="{PASSWORD}admin";'
        return super()._settings() | {
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
            "inter.broker.listener.name": "SASL_SSL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": login,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.authority.server,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.authority.ca,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": "User:admin;User:ANONYMOUS",  # the controller's listener, on loopback
        }

    def _users(self) -> list[str]:
        return [
            part
            for user in USERS
            for part in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={PASSWORD}{user}]")
        ]

    def _client_options(self) -> dict[str, Any]:
        return {
            "security_protocol": "SASL_SSL",
            "ssl_context": ssl.create_default_context(cafile=str(self.authority.ca)),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": "admin",
            "sasl_plain_password": f"{PASSWORD}admin",
        }

    def settings_of(self, user: str) -> dict[str, str]:
        """What Paperbus is told, to come as this user."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "KAFKA_SECURITY": "sasl_ssl",
            "KAFKA_USERNAME": user,
            "KAFKA_PASSWORD": PASSWORD + user,
            "KAFKA_CA_FILE": str(self.authority.ca),
        }

    def client(self, user: str) -> dict[str, str]:
        """The same for a client that nobody here wrote (librdkafka)."""
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": PASSWORD + user,
            "ssl.ca.location": str(self.authority.ca),
        }


class SecuredMongo(EmbeddedMongo):
    """TLS for everybody; nobody comes in by plain TCP."""

    def __init__(self, data: Path, authority: Authority) -> None:
        super().__init__(data, port=None)
        self.authority = authority
        self.url += f"&tls=true&tlsCAFile={authority.ca}"

    def _options(self) -> dict[str, Any]:
        return super()._options() | {
            "tlsMode": "requireTLS",
            "tlsCertificateKeyFile": self.authority.server,
            "tlsCAFile": self.authority.ca,
            "tlsAllowConnectionsWithoutCertificates": None,
        }

    def _client_options(self) -> dict[str, Any]:
        return {"tls": True, "tlsCAFile": str(self.authority.ca)}


def documented_rights() -> list[AclBinding]:
    """Every rule of `deploy/access.sh`, which is run for real, with a program that notes what it is asked."""
    with tempfile.TemporaryDirectory() as folder:
        asked, noting = Path(folder) / "asked", Path(folder) / "kafka-acls.sh"
        noting.write_text(f'#!/bin/bash\nprintf "%s\\x1f" "$@" >>{asked}; printf "\\n" >>{asked}\n')
        noting.chmod(0o755)
        environment = {
            **os.environ,
            "KAFKA_ACLS": str(noting),
            "BOOTSTRAP": "kafka:9093",
            "ADMIN": "admin.properties",
        }
        subprocess.run(["bash", ACCESS], env=environment, check=True)
        lines = [line.split("\x1f")[:-1] for line in asked.read_text().splitlines()]
    return [rule for words in lines for rule in _rules(words)]


def _rules(words: list[str]) -> Iterator[AclBinding]:
    """What one call of kafka-acls.sh means: each operation on each resource."""
    given: dict[str, list[str]] = {}
    rest = iter(words)
    for word in rest:
        given.setdefault(word, []).append("" if word in ("--add", "--cluster") else next(rest))
    assert set(given) <= {
        "--bootstrap-server", "--command-config", "--add", "--allow-principal", "--operation", "--topic",
        "--group", "--transactional-id", "--cluster", "--resource-pattern-type",
    }  # fmt: skip
    kinds = {
        "--topic": ResourceType.TOPIC,
        "--group": ResourceType.GROUP,
        "--transactional-id": ResourceType.TRANSACTIONAL_ID,
        "--cluster": ResourceType.BROKER,
    }
    pattern = ResourcePatternType[given.get("--resource-pattern-type", ["literal"])[0].upper()]
    for option, kind in kinds.items():
        for name in given.get(option, []):
            for operation in given["--operation"]:
                yield AclBinding(
                    kind,
                    name or "kafka-cluster",
                    pattern,
                    given["--allow-principal"][0],
                    "*",
                    AclOperation[_snake(operation)],
                    AclPermissionType.ALLOW,
                )


def _snake(operation: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in operation).strip("_").upper()


def grant(kafka: SecuredKafka) -> None:
    """Make the documented rules real."""
    admin = AdminClient(kafka.client("admin"))
    for done in admin.create_acls(documented_rights()).values():
        done.result(20)


@contextmanager
def started(server: EmbeddedKafka | EmbeddedMongo) -> Iterator[None]:
    import asyncio

    asyncio.run(server.start())
    try:
        yield
    finally:
        asyncio.run(server.stop())
