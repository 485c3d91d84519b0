"""The line to a source breaks in every way that TCP knows, at any byte, while documents come in.

Each is told of once, its bytes are kept whole, and nothing leaves its place before. A trial is a connection
that met with a fault; there are 36 of them for each source.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from imapservers import MailServer
from import_rig import Box, told
from mails import a_mail, pdf
from run_rig import Platform, Rig, a_place
from targets import Target

from providers.manifests import CATALOGUE, load
from tests.faults.tcp import FAULTS, Line, a_line
from tests.faults.trials import SEED, seconds, trials

pytestmark = [pytest.mark.faults, pytest.mark.servers, pytest.mark.timeout(seconds(600))]
TRIALS = trials(36)
THINGS = 8
SIZE = 40_000
MOST_ROUNDS = 8
DONE = "Done"


@dataclass
class Place:
    """Where things lie: laid down from outside, and looked at from outside."""

    credentials: dict[str, object]
    options: dict[str, object]
    put: Callable[[str, bytes], None]
    look: Callable[[], tuple[int, int]]
    """How many are still there, and how many in the place for what was brought in."""


@contextmanager
def a_folder(server: Target, port: int, name: str) -> Iterator[Place]:
    here = server.folder / name
    here.mkdir()

    def look() -> tuple[int, int]:
        done = here / DONE
        return len(list(here.glob("*.pdf"))), len(list(done.iterdir())) if done.exists() else 0

    login = {"username": server.username, "password": server.password}
    options = {"folder": "/", "afterwards": "move", "move_to": f"/{DONE}"}
    url = {"url": f"http://127.0.0.1:{port}/{name}"}
    yield Place(url | login, options, lambda file, data: _written(here / file, data), look)


def _written(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@contextmanager
def a_mailbox(server: MailServer, port: int, name: str) -> Iterator[Place]:
    box = Box(server, name)
    client = box.talk()
    client.create(name)
    client.create(f"{name}-done")
    client.logout()
    options = {"mailbox": name, "afterwards": "move", "move_to": f"{name}-done"}

    def put(file: str, data: bytes) -> None:
        box.put(a_mail(f"{name}-{file}", (file, data, "application/pdf")))

    yield Place(
        server.credentials | {"port": port}, options, put, lambda: (box.count(), box.count(f"{name}-done"))
    )


async def trial(rig: Rig, line: Line, place: Place, fault: str, dice: random.Random) -> None:
    """An import over a line that breaks, and all that follows from it."""
    files = {f"{n}.pdf": pdf(f"{rig.connection} {n}") + dice.randbytes(SIZE) for n in range(THINGS)}
    for name, data in files.items():
        place.put(name, data)
    await rig.set_up(**place.options)
    some_byte = [1, dice.randrange(2_000), dice.randrange(2 * SIZE), dice.randrange(THINGS * SIZE)]
    line.breaks(fault, dice.choice(some_byte), dice.randint(1, 3))
    for round_ in range(MOST_ROUNDS):
        await rig.work(60)
        left, moved = place.look()
        assert THINGS - left <= len(await told(rig)), "something left its place before it was told of"
        if moved == THINGS and not left:
            break
        if round_ >= MOST_ROUNDS // 2:
            line.holds()
        await rig.lease_ends()
        await rig.due()
    hashes = Counter(hashlib.sha256(data).hexdigest() for data in files.values())
    assert Counter(d["sha256"] for d in await told(rig)) == hashes, "lost or told of twice"
    assert place.look() == (0, THINGS), "not put away, or doubled there"
    await kept_whole(rig, files)


async def kept_whole(rig: Rig, files: dict[str, bytes]) -> None:
    rows = [row async for row in rig.database["ledger"].find({"connection": rig.connection})]
    assert Counter(row["status"] for row in rows) == Counter({"done": len(files)})
    found = set()
    for row in rows:
        chunks = rig.database["content.chunks"].find({"files_id": row["content"]}).sort("n")
        found.add(b"".join([chunk["data"] async for chunk in chunks]))
    assert found == set(files.values()), "bytes are missing"


@pytest.mark.parametrize("kind", ["webdav", "imap"])
async def test_a_line_that_breaks_loses_and_doubles_no_document_that_comes_in(
    kind: str,
    request: pytest.FixtureRequest,
    mongo: str,
    fresh_database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("providers.drivers.imapline.SECONDS", 1.0)  # what is stalled is given up after these
    monkeypatch.setattr("providers.http.READ_SECONDS", 1.0)
    server = request.getfixturevalue({"webdav": "wsgidav", "imap": "mail_server"}[kind])
    dice, hit, number = random.Random(SEED), Counter[str](), 0
    while hit.total() < TRIALS or not all(hit[each] for each in FAULTS):
        fault = FAULTS[number % len(FAULTS)]
        number += 1
        platform, name = Platform(), f"{kind}-{number}"
        async with a_line(server.port) as line:
            there = (a_folder if kind == "webdav" else a_mailbox)(server, line.port, name)
            with there as place:
                manifest = load(CATALOGUE / kind)
                at = a_place(mongo, fresh_database, manifest, place.credentials, platform.key)
                rig = Rig(replace(at, patience=1.0), platform, direction="import")
                try:
                    await trial(rig, line, place, fault, dice)
                except (AssertionError, TimeoutError) as wrong:
                    text = f"trial {number}, {fault} after {line.after} bytes: {wrong!r}"
                    raise AssertionError(text) from wrong
                finally:
                    rig.client.close()
        hit[fault] += line.fired
