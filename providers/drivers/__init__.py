"""What a driver does, and how one is opened. Which names are used and what a clash means is decided
elsewhere.

Drivers are imported when first opened, so that a service that has no use for one does not pay for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from providers.content import Body
from providers.drivers.kinds import KINDS, DriverKind
from providers.errors import ProviderError
from providers.templates import fill
from providers.words import words
from schemas.fields import Choice, Words
from schemas.manifest import Manifest
from schemas.reasons import Reason

if TYPE_CHECKING:  # who only asks which drivers there are, such as a check of a manifest, loads no HTTP
    from providers.reach import Reach

__all__ = [
    "A_FOLDER",
    "KINDS",
    "Body",
    "Capabilities",
    "Driver",
    "Found",
    "Introduction",
    "Receipt",
    "introduce",
    "open_driver",
]

MOST_CHOICES = 200
"""A list of choices ends here; the customer narrows it by `query`."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the target, as configured, is able to do.

    Attributes:
        create_only: of two writers of one new name exactly one wins, the other gets a conflict. Without
            it the
            driver looks first, and two that write at the same instant may both win.
        atomic_put: nobody ever sees half a file under its name.
        conditional_replace: `replace` is refused by the target itself when the version is another by then.
            Without it the driver looks just before.
        case_sensitive: `A.pdf` and `a.pdf` are two files.
        forbidden_characters: characters that no name may hold, beside `/` and the control characters.
        max_name_bytes: the longest name, in bytes of UTF-8.
        concurrency: how many puts at once it bears.
    """

    create_only: bool
    atomic_put: bool
    conditional_replace: bool
    case_sensitive: bool = True
    forbidden_characters: str = ""
    max_name_bytes: int = 255
    concurrency: int = 4


@dataclass(frozen=True, slots=True)
class Found:
    """What is there. `sha256` (hex) only where the target knows it; `version` is opaque and short.

    A folder has nothing of these and is never the same as a file.
    """

    size: int
    sha256: str | None
    version: str | None
    is_folder: bool = False


A_FOLDER = Found(0, None, None, is_folder=True)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a document now is, and its version (None: the target did not say, `find` may)."""

    path: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a host says of itself before any secret is sent, for the customer to confirm once.

    `facts` are labels with their values; `pins` go into the credentials and are checked at every contact.
    """

    facts: tuple[tuple[Words, str], ...]
    pins: Mapping[str, str] = field(repr=False)


class Driver(Protocol):
    """One connection's way to its files, open.

    Paths are absolute within the connection, `/`-separated, in plain Unicode (`/2026/Müller & Söhne.pdf`);
    `/` is the connection's root. Encoding them for the wire is the driver's. Every method raises
    `ProviderError` with the reasons of the contract. Methods may be called concurrently, up to
    `capabilities.concurrency`.
    """

    capabilities: Capabilities

    async def check(self) -> None:
        """Log in and look at the root. Writes nothing.

        Raises:
            ProviderError: `credentials_wrong`, `destination_missing`, `permission_missing`,
                `host_unreachable`, `certificate_invalid`, `address_refused` …
        """

    async def identity(self) -> str:
        """Whose account this is, as shown to the customer and compared later: `jane@firm.example`."""

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        """What can be chosen for an option, live: for `folder`, the folders right below `parent`.

        Args:
            option: the option's name, by its type in the manifest.
            query: only those whose name holds this, whatever the case.
            parent: a value that was offered before; None is the root.

        Returns:
            At most `MOST_CHOICES`, by name; `value` is the path that goes into the option.
        """

    async def find(self, path: str) -> Found | None:
        """What is at `path`, or None where nothing is."""

    async def same_bytes(self, path: str, size: int, sha256: str) -> bool:
        """Whether the file at `path` has exactly these bytes: by the target's checksum, or by reading it."""

    async def folder_exists(self, path: str) -> bool:
        """Whether there is a folder at `path`."""

    async def make_folder(self, path: str) -> None:
        """Make the folder and all that are missing above it. Safe to call twice and by many at once."""

    async def put(self, path: str, body: Body) -> Receipt:
        """Make a new file of exactly these bytes. The folder exists.

        Safe to call again after a lost answer: it then raises a conflict, and `same_bytes` tells whether
        ours is what is there.

        Raises:
            ProviderError: kind `conflict`, reason `exists`, where the name is taken: nothing was changed.
                `content_changed` where the body is not what it was said to be: nothing is visible.
                `destination_missing` where the folder is gone, `quota_full`, `document_refused` …
        """

    async def replace(self, path: str, body: Body, version: str | None) -> Receipt:
        """Put these bytes in the place of the file at `path`.

        Args:
            path: as in `put`.
            body: as in `put`.
            version: the one that is to be replaced (from `find` or a receipt); None replaces whatever is
                there.

        Raises:
            ProviderError: kind `conflict`, reason `revision_conflict`, where it is another version by now;
                reason `exists` where it is a folder.
        """


def open_driver(
    manifest: Manifest,
    credentials: Mapping[str, Any],
    options: Mapping[str, Any],
    reach: Reach,
) -> AbstractAsyncContextManager[Driver]:
    """The manifest's driver for one account, open until the `async with` ends.

    Args:
        manifest: names the driver and its settings; `{field}` in a setting is filled from the credentials.
        credentials: what was asked at the login, with the pins that were confirmed.
        options: the connection's options; drivers of files need none.
        reach: the guarded way out.

    Raises:
        ProviderError: `not_set_up` where no such driver exists; on entering, whatever connecting meets.
    """
    kind = _kind(manifest)
    made: AbstractAsyncContextManager[Driver] = importlib.import_module(kind.module).open_driver(
        manifest, settings(manifest, credentials), options, reach
    )
    return made


async def introduce(manifest: Manifest, credentials: Mapping[str, Any], reach: Reach) -> Introduction | None:
    """What the host says of itself before it is sent a secret; None where the driver has nothing to confirm.

    Only addresses are read from `credentials`, never a secret.

    Raises:
        ProviderError: as `Driver.check` for a host that cannot be reached.
    """
    module = importlib.import_module(_kind(manifest).module)
    if not hasattr(module, "introduce"):
        return None
    met: Introduction | None = await module.introduce(settings(manifest, credentials), reach)
    return met


def settings(manifest: Manifest, credentials: Mapping[str, Any]) -> dict[str, Any]:
    """The credentials, and over them the manifest's settings with each `{field}` filled in.

    In an address the values are percent-encoded, so that none can leave its place; only one that begins the
    address is an address itself.
    """
    filled: dict[str, Any] = {name: value for name, value in credentials.items() if value not in (None, "")}
    for name, value in manifest.driver.settings.items():
        filled[name] = (
            fill(value, credentials, is_address=name in _ADDRESSES) if isinstance(value, str) else value
        )
    return filled


def identity_of(manifest: Manifest, credentials: Mapping[str, Any], otherwise: str) -> str:
    """How the account is called: by the manifest's pattern, else the driver's own word."""
    pattern = manifest.driver.identity
    return otherwise if pattern is None else fill(pattern, credentials, is_address=False)


_ADDRESSES = ("url", "endpoint")


def _kind(manifest: Manifest) -> DriverKind:
    try:
        return KINDS[manifest.driver.kind]
    except KeyError:
        raise ProviderError(
            "config",
            Reason.NOT_SET_UP,
            words("no_driver", name=manifest.name.en),
        ) from None
