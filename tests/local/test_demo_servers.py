"""The servers of the demo: started as the story starts them."""

import sys
from datetime import date
from pathlib import Path

import pytest

from paperbus.demo.invoices import invoices
from paperbus.demo.mailbox import mailbox
from paperbus.demo.target import answering
from paperbus.local.errors import DidNotStart
from paperbus.local.process import Process


async def test_a_password_that_begins_like_an_option_opens_the_mailbox_as_any_other(tmp_path: Path) -> None:
    async with mailbox(tmp_path, invoices(1, date(2026, 11, 23)), password="-4QWkjUpfgM6ZwcD"):
        pass  # it has taken the mail: whoever cannot log in cannot append


async def test_a_server_that_ends_at_its_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    process = Process([sys.executable, "-c", "raise SystemExit('no such option: --shiny')"], log=log)
    await process.wait()

    with pytest.raises(DidNotStart, match=r"^The demo's shop did not start \(no such option: --shiny\)"):
        await answering(process, 9, "The demo's shop", log)
