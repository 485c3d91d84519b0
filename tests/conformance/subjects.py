"""What the conformance suite is run over: a driver, a server, and what others see there."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
from targets import Target

from providers.drivers import Driver, introduce, open_driver
from providers.reach import Reach
from providers.sources import Source, open_source
from schemas.manifest import Manifest

LOOPBACK = ["127.0.0.0/8", "::1/128"]
CANARY = "c4n4ry-9f2e77"


@dataclass(frozen=True)
class Subject:
    """One driver at one server: how to log in, how to fail to, and what the server shows to others."""

    manifest: Manifest
    credentials: Mapping[str, Any]
    wrong: Mapping[str, Any]
    """What is changed in the credentials so that they are refused."""
    look: Callable[[str], bytes | None]
    """The bytes at a path as somebody else sees them."""
    names: Callable[[], set[str]]
    """The paths of everything that is there."""
    missing: Mapping[str, Any] = field(default_factory=dict)
    """What is changed so that the root does not exist; nothing where the server has no such thing."""
    address: str = "url"
    """The field that holds the address."""
    server: Target | None = None
    keeps_empty: bool = False
    """Whether it keeps a request whose body never came as a file of 0 bytes."""

    def at(self, host: str, port: int) -> dict[str, Any]:
        """The credentials for another host."""
        if self.address == "host":
            return {**self.credentials, "host": host, "port": port}
        return {**self.credentials, self.address: f"http://{host}:{port}"}

    def source(self, reach: Reach, **options: Any) -> AbstractAsyncContextManager[Source]:
        return open_source(self.manifest, self.credentials, options, reach)

    def open(self, reach: Reach, **changed: Any) -> AbstractAsyncContextManager[Driver]:
        return open_driver(self.manifest, {**self.credentials, **changed}, {}, reach)


REST = {
    "base": "{url}",
    "basic": "{username}:{password}",
    "check": {"path": "/me"},
    "lists": [{"call": {"path": "/documents"}, "file": {"call": {"path": "/documents/{id}"}}}],
}


def manifest(kind: str, **settings: Any) -> Manifest:
    rest = {"source": REST} if kind == "rest" else {}
    fields = [{"name": name, "label": name} for name in ("url", "host")]
    return Manifest.model_validate(
        {
            "id": "subject",
            "name": "Subject",
            "summary": "Under test.",
            "categories": ["storage"],
            "directions": ["export"],
            "login": [{"ask": "credentials", "fields": fields}],
            "driver": {"kind": kind, "settings": settings},
            "limits": {"concurrency": 8},
            **rest,
        }
    )


def on_disk(folder: Path) -> dict[str, Any]:
    def look(path: str) -> bytes | None:
        file = folder / path.lstrip("/")
        return file.read_bytes() if file.is_file() else None

    def names() -> set[str]:
        return {f"/{each.relative_to(folder)}" for each in folder.rglob("*") if each.is_file()}

    return {"look": look, "names": names}


def dav(target: Target, **settings: Any) -> Subject:
    login = {"url": target.url, "username": target.username, "password": target.password}
    return Subject(
        manifest=manifest("webdav", **settings),
        credentials=login,
        wrong={"password": f"{CANARY}-wrong"},
        missing={"url": f"{target.url}no-such-folder/"},
        server=target,
        **on_disk(target.folder),
    )


async def ssh(target: Target, reach: Reach) -> Subject:
    way_in = {"private_key": target.private_key} if target.private_key else {"password": target.password}
    login = {"host": target.host, "port": target.port, "username": target.username, **way_in}
    met = await introduce(manifest("sftp"), login, reach)
    assert met is not None
    return Subject(
        manifest=manifest("sftp"),
        credentials={**login, **met.pins},
        wrong={"username": f"{CANARY}-nobody"} if target.private_key else {"password": f"{CANARY}-wrong"},
        missing={"root": "no-such-folder"},
        address="host",
        server=target,
        **on_disk(target.folder),
    )


def ftp(target: Target, **settings: Any) -> Subject:
    login = {"host": target.host, "port": target.port, "username": target.username}
    return Subject(
        manifest=manifest("ftp", **{"security": "none", **settings}),
        credentials={**login, "password": target.password},
        wrong={"password": f"{CANARY}-wrong"},
        missing={"root": "/no-such-folder"},
        address="host",
        server=target,
        **on_disk(target.folder),
    )


def bucket(target: Target) -> Subject:
    return Subject(
        manifest=manifest("object"),
        credentials={
            "endpoint": target.url,
            "bucket": "papers",
            "access_key_id": target.username,
            "secret_access_key": target.password,
        },
        wrong={"secret_access_key": f"{CANARY}-wrong"},
        missing={"bucket": "no-such-bucket"},
        address="endpoint",
        server=target,
        **on_disk(target.folder / "papers"),
    )


def moto(target: Target) -> Subject:
    """Moto keeps objects in memory and looks at no key, so somebody else must ask it what is there."""
    s3 = boto3.client(
        "s3",
        endpoint_url=target.url,
        region_name="us-east-1",
        aws_access_key_id="somebody",
        aws_secret_access_key="else",
    )
    s3.create_bucket(Bucket="papers")

    def look(path: str) -> bytes | None:
        try:
            return bytes(s3.get_object(Bucket="papers", Key=path.lstrip("/"))["Body"].read())
        except s3.exceptions.NoSuchKey:
            return None

    def names() -> set[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="papers")
        return {f"/{each['Key']}" for page in pages for each in page.get("Contents", ())}

    plain = bucket(target)
    conditional = manifest("object", conditional=True)
    return replace(plain, manifest=conditional, wrong={}, look=look, names=names, keeps_empty=True)
