"""What the demo offers to paste at its end."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from uuid import uuid4

from kit.settings import Settings
from paperbus import keys, sending
from paperbus.commands.demo import _hints
from paperbus.services import Embedded
from paperbus.up import Up


def test_the_three_commands_to_paste_do_what_they_say(tmp_path: Path) -> None:
    settings = Settings.load({"PAPERBUS_DATA": str(tmp_path)})
    keys.platform_keys(tmp_path)
    up = Up(settings, tmp_path, Embedded(None, None), (), (), print)
    connection = str(uuid4())

    again, export, add, *_, link = _hints(up, "acme", connection).splitlines()

    assert link.startswith("http://127.0.0.1:8100/enter?token=")
    fresh = pasted(again)
    assert fresh.startswith("http://127.0.0.1:8100/enter?token=")
    assert fresh.strip() != link

    pasted(add)
    assert [made.name for made in tmp_path.glob("demo-providers/*/manifest.yaml")] == ["manifest.yaml"]

    _, words = export.split(" send ")
    name, _, account, *said = shlex.split(words.replace("$(date -u +%FT%TZ)", "2026-11-22T10:00:00Z"))
    _, data = sending.find(name)
    event = sending.event(data, sending.fields(said), account, None)
    assert (event.accountid, event.subject, event.data.again) == ("acme", connection, True)


def pasted(line: str) -> str:
    """What a shell answers to the command after the label."""
    done = subprocess.run(["bash", "-c", line.partition(":")[2]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
