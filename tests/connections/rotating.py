"""A rotation of vault keys that is killed: `python rotating.py JSON`, with the store, keys and moment."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from connections.operating import Desk
from connections.vault import Vault
from kit import mongo
from tests.faults.mortal import wound


async def main(given: dict[str, Any]) -> None:
    wound(("connections.vault_store", "MongoRecords", "swap", "after"), given["dies_at"], signal.SIGKILL)
    vault = Vault([(kid, base64.b64decode(key)) for kid, key in given["keys"]])
    await Desk(mongo.connect(given["url"])[given["database"]], vault, print).rotate()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
