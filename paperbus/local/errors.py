"""What can keep an embedded server from starting, each as one sentence that says what to do next.

LocalServerError
├── PortTaken          another program listens there
├── FolderInUse        another start holds the data folder
├── NoSpace            the disk is full
├── NotFetched         the packages' registry could not be reached, or sent something else
├── LibraryMissing     the system lacks a shared library
├── NotPackaged        there is no package for this system
└── DidNotStart        anything else; names the log
"""

from pathlib import Path

from paperbus.errors import Stopped


class LocalServerError(Stopped):
    """An embedded server cannot run; the text is one sentence for whoever typed the command."""


class PortTaken(LocalServerError):
    def __init__(self, address: str, port: int, owner: str | None, advice: str) -> None:
        by = f" by {owner}" if owner else ""
        super().__init__(f"Port {port} on {address} is taken{by}: stop that program, or {advice}.")


class FolderInUse(LocalServerError):
    def __init__(self, folder: Path, pid: int | None) -> None:
        by = f"process {pid}" if pid else "another process"
        super().__init__(
            f"The data folder {folder} is in use by {by}: "
            "stop it first, or choose another folder with --data."
        )


class NoSpace(LocalServerError):
    def __init__(self, folder: Path, needed: int) -> None:
        self.what_to_do = (
            f"There is not enough disk space in {folder}: make at least {needed // 1_000_000} MB free"
        )
        super().__init__(f"{self.what_to_do}, then start again.")


class NotFetched(LocalServerError):
    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"{what} could not be fetched ({why}): check the network, then start again; "
            "what arrived whole is kept."
        )


class LibraryMissing(LocalServerError):
    def __init__(self, program: str, libraries: list[str], command: str) -> None:
        super().__init__(
            f"{program} needs {', '.join(libraries)}, which this system lacks: install with `{command}`."
        )


class NotPackaged(LocalServerError):
    def __init__(self, program: str, system: str) -> None:
        super().__init__(
            f"There is no package of {program} for {system}: run `docker compose up`, "
            "or set KAFKA_BOOTSTRAP_SERVERS and MONGO_URL to servers of your own."
        )


class DidNotStart(LocalServerError):
    def __init__(self, program: str, why: str, log: Path) -> None:
        super().__init__(f"{program} did not start ({why}): its log is {log}.")
