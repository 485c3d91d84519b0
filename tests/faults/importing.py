"""What the tests that kill workers of imports share: where they die, and what they told."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from run_rig import Rig

POINTS = (
    "store.claim.after",
    "store.prepared.after",
    "imports.take.after",
    "source.page.before",
    "source.page.after",
    "imports.known.after",
    "imports.alike.after",
    "contents.keep.before",
    "contents.keep.after",
    "imports.save.before",
    "imports.save.after",
    "store.listed.before",
    "store.listed.after",
    "store.finish.before",
    "store.finish.after",
    "store.pass_on.before",
    "store.pass_on.after",
    "source.settle.before",
    "source.settle.after",
    "imports.settled.before",
    "imports.settled.after",
)


async def told(rig: Rig) -> Counter[str]:
    """How often each file's bytes were told of."""
    owed = [json.loads(each["value"]) for each in (await rig.sync())["owes"]]
    events = [event["data"] for event in owed if "DocumentsImported" in event["type"]]
    return Counter(document["sha256"] for event in events for document in event["documents"])


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@asynccontextmanager
async def one_trial(rig: Rig, which: str) -> AsyncIterator[None]:
    """A broken promise is told with its trial; what is in the database goes afterwards."""
    try:
        yield
    except AssertionError as wrong:
        raise AssertionError(f"{which}: {wrong}") from wrong
    finally:
        for name in ("ledger", "syncs", "content.files", "content.chunks"):
            await rig.database[name].delete_many({})
        rig.client.close()
