"""The driver `rest` on a Tryton, an ERP that nobody here wrote, by its manifest alone."""

import base64
import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from listing import everything, whole
from mails import pdf
from targets import HERE, serving

from paperbus.local.folder import LOOPBACK, free_port
from providers.egress import Guard
from providers.errors import ProviderError
from providers.manifests import CATALOGUE, load
from providers.reach import Reach
from providers.sources import open_source
from schemas.reasons import Reason

PASSWORD = "correct-horse-1"


@contextlib.contextmanager
def tryton(folder: Path) -> Iterator[str]:
    """A new database with its own modules alone, served on loopback."""
    port, config, secret = free_port(), folder / "trytond.conf", folder / "password"
    (folder / "erp.sqlite").touch()
    config.write_text(f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = {LOOPBACK}:{port}\n")
    secret.write_text(PASSWORD)
    made = [str(HERE / "trytond-admin"), "-c", str(config), "-d", "erp", "--all", "--email", "a@b.example"]
    subprocess.run(
        made, env={**os.environ, "TRYTONPASSFILE": str(secret)}, check=True, capture_output=True, timeout=120
    )
    command = [sys.executable, str(HERE / "trytond"), "-c", str(config), "-d", "erp"]
    with serving(command, port, folder):
        yield f"http://{LOOPBACK}:{port}"


def attach(url: str, files: dict[str, bytes]) -> None:
    """In one call: it hashes the password for each."""
    rows = [
        {
            "name": name,
            "type": "data",
            "resource": "res.user,1",
            "data": {"__class__": "bytes", "base64": base64.b64encode(data).decode()},
        }
        for name, data in files.items()
    ]
    body = json.dumps({"id": 1, "method": "model.ir.attachment.create", "params": [rows, {}]})
    login = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {login}"}
    asked = urllib.request.Request(f"{url}/erp/rpc/", body.encode(), headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 - loopback
        assert b"result" in answer.read()


@pytest.mark.targets
async def test_attachments_of_an_erp_come_in_by_its_manifest_alone(tmp_path: Path) -> None:
    files = {f"invoice {n}.pdf": pdf(f"number {n}") for n in range(103)}
    with tryton(tmp_path) as url:
        attach(url, files)
        manifest, login = load(CATALOGUE / "tryton"), {"url": url, "database": "erp", "username": "admin"}
        async with (
            Reach(Guard(["127.0.0.0/8"])) as reach,
            open_source(manifest, login | {"password": PASSWORD}, {}, reach) as source,
        ):
            await source.check()
            items = {item.id: item for item in await everything(source)}
            some = {item.name: await whole(source, item) for item in list(items.values())[::51]}
            async with open_source(manifest, login | {"password": "wrong"}, {}, reach) as stranger:
                with pytest.raises(ProviderError) as refused:
                    await stranger.check()

    assert sorted(item.name for item in items.values()) == sorted(files)
    assert all(item.received_at is not None for item in items.values())
    assert (refused.value.kind, refused.value.reason) == ("auth", Reason.CREDENTIALS_WRONG)
    assert some == {name: files[name] for name in some}
