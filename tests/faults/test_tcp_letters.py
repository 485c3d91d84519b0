"""The line to a mail server breaks in every way that TCP knows, at any byte: no letter goes twice by itself.

A trial is one letter that was on its way when the line broke. Many go side by side, each over its own line.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from mailserver import mailserver
from test_outbox import opened

from providers.content import of_bytes
from providers.egress import Guard
from providers.errors import ProviderError
from providers.outbox import Enclosure, Letter, Outbox, Unsure
from providers.reach import Reach
from tests.faults.tcp import FAULTS, a_line
from tests.faults.trials import SEED, seconds, trials

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(seconds(600)),
    # aiosmtpd lets go of the writers of lines that were reset without closing them
    pytest.mark.filterwarnings("ignore:.*StreamWriter.__del__:pytest.PytestUnraisableExceptionWarning"),
]
TRIALS = trials(500)
SIDE_BY_SIDE = 25
SIZE = 12_000
PATIENCE = 1.0
MOST_TRIES = 6


async def went(letter: Letter, port: int, reach: Reach) -> bool:
    """Sends until it is taken, or until nobody knows: True where it was taken."""

    async def committed() -> None:
        """Nothing is to be written down."""

    for _ in range(MOST_TRIES):
        try:
            async with opened(port, reach) as driver:
                await cast(Outbox, driver).send(letter, committed)
        except Unsure:
            return False
        except ProviderError as error:
            if not error.later:
                raise
        else:
            return True
    raise AssertionError("it never went, though the line held")


async def test_a_line_that_breaks_loses_no_letter_and_sends_none_twice() -> None:
    dice, fired = random.Random(SEED), Counter[str]()
    taken: dict[str, bool] = {}

    async def lane(port: int) -> None:
        while fired.total() < TRIALS:
            fault = FAULTS[dice.randrange(len(FAULTS))]
            after = dice.choice([dice.randrange(1, 400), dice.randrange(300, 2 * SIZE)])
            reference = str(UUID(int=dice.getrandbits(128)))
            letter = Letter(reference, "Beleg", "a.pdf", [Enclosure("a.pdf", of_bytes(dice.randbytes(SIZE)))])
            async with a_line(port) as line, Reach(Guard(["127.0.0.0/8"]), patience=PATIENCE) as reach:
                line.breaks(fault, after, dice.randint(1, 3))
                taken[f"<{reference}@firm.example>"] = await went(letter, line.port, reach)
                fired[fault] += min(line.fired, 1)

    with mailserver() as server:
        await asyncio.gather(*(lane(server.port) for _ in range(SIDE_BY_SIDE)))
        there = Counter(str(mail["Message-ID"]) for mail in server.taken)

    assert {name for name, many in there.items() if many > 1} == set(), "sent twice"
    assert {name for name, sure in taken.items() if sure and not there[name]} == set(), "lost"
    assert all(fired[fault] for fault in FAULTS), f"a fault that never fired proves nothing: {fired}"
