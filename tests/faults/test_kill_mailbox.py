"""Workers that import from a real mailbox, killed with SIGKILL at every step while mails are moved away.

A trial is one mail in flight at a kill. Nothing is lost, told of twice or moved twice, and no mail leaves its
mailbox before a durable event tells of it.
"""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from imapservers import MailServer
from import_rig import Box
from mails import a_mail, pdf
from run_rig import Platform, Rig, a_place

from providers.manifests import CATALOGUE, load
from tests.faults.importing import POINTS, digest, one_trial, told
from tests.faults.trials import SEED, rounds, seconds

pytestmark = [pytest.mark.faults, pytest.mark.servers, pytest.mark.timeout(seconds(1800))]
MAILS = 5
KILLED = len(POINTS) * rounds(MAILS * len(POINTS))
"""Imports whose worker is killed, once or twice each."""
ID = re.compile(rb"<([^>]+)@kaeserei")


def there(box: Box, name: str) -> list[str]:
    """The mails of a mailbox, by what stands before the @ of their Message-ID."""
    client = box.talk()
    status, number = client.select(name, readonly=True)
    some = status == "OK" and number != [b"0"]
    said = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1] if some else []
    client.logout()
    return sorted(found[1].decode() for part in said if part and (found := ID.search(b"".join(part[1:2]))))


async def trial(rig: Rig, box: Box, kills: list[tuple[str, int]]) -> list[int]:
    """The mails in flight at each kill that happened; raises AssertionError for a broken promise."""
    mails = {f"{n}-{box.name}": pdf(f"{rig.connection} {n}") for n in range(MAILS)}
    box.put(*(a_mail(name, (f"{name}.pdf", data, "application/pdf")) for name, data in mails.items()))
    done = f"{box.name}-done"
    await rig.set_up(mailbox=box.name, afterwards="move", move_to=done)

    in_flight = []
    for point, nth in kills:
        killed = await rig.killed(point, nth)
        announced = await told(rig)
        gone = set(mails) - set(there(box, box.name))
        early = [name for name in gone if not announced[digest(mails[name])]]
        if killed:
            in_flight.append(MAILS - len(gone))
        assert not early, f"{early} left their mailbox before anything told of them"
        await rig.lease_ends()
    await rig.work()

    assert await told(rig) == Counter({digest(data): 1 for data in mails.values()}), "lost or told of twice"
    assert {row["status"] for row in (await rig.rows()).values()} == {"done"}
    assert (there(box, box.name), there(box, done)) == ([], sorted(mails)), "not moved, or moved twice"
    return in_flight


async def test_no_kill_loses_doubles_or_moves_a_mail_too_early(
    mail_server: MailServer, mongo: str, fresh_database: str
) -> None:
    dice, manifest = random.Random(SEED), load(CATALOGUE / "imap")
    fired, trials = Counter[str](), 0
    for number in range(KILLED):
        point = POINTS[number % len(POINTS)]
        box = Box(mail_server, f"killed-{number}")
        client = box.talk()
        client.create(box.name)
        client.logout()
        platform = Platform()
        place = a_place(mongo, fresh_database, manifest, mail_server.credentials, platform.key)
        rig = Rig(place, platform, direction="import")
        kills = [(point, 1)]
        kills += [(dice.choice(POINTS), dice.randint(1, 3)) for _ in range(dice.randint(0, 1))]
        async with one_trial(rig, f"trial {number}, {kills}"):
            in_flight = await trial(rig, box, kills)
        fired[point] += bool(in_flight)
        trials += sum(in_flight)
    assert set(fired) == set(POINTS)
    assert sum(fired.values()) == KILLED, f"a kill that never happened proves nothing: {fired}"
    assert trials >= 2 * KILLED, f"only {trials} mails were in flight"
