"""What customers want, said as events, and what is said because of it. It waits a little, then lets go."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from console.live import Hub
from console.visits import Visit
from kit.deadletters import Letter
from kit.logs import logger
from schemas.envelope import CONTENT_TYPE, Data, Event, RequestRefused
from schemas.topics import topic_of

log = logger(__name__)
SOURCE = "/paperbus/console"
PATIENCE = 5.0
"""Seconds that a page waits for what its request brings about."""
PUBLISHED_WITHIN = 6.0
SENDING: set[asyncio.Task[bool]] = set()
"""Kept until they end: the loop itself holds tasks weakly."""

Publish: TypeAlias = Callable[[Sequence[Letter]], Awaitable[None]]


class BusAway(Exception):
    """The request was not taken in time; it may still be, as long as we run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request: refused, done, or (both unset) nothing was heard yet."""

    refused: RequestRefused | None = None
    done: Data | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Sends requests for whoever is signed in."""

    publish: Publish
    hub: Hub
    now: Callable[[], datetime]
    patience: float = PATIENCE

    async def ask(self, visit: Visit, data: Data) -> Outcome:
        """Send a request, and wait for the first thing that is said because of it.

        Raises:
            BusAway: it was not sent.
        """
        event = self._event(visit, data)
        with self.hub.awaiting(event.id) as answer:
            await self._send(event)
            try:
                async with asyncio.timeout(self.patience):
                    said = (await answer).data
            except TimeoutError:
                log.info("nothing heard yet", type=event.type, connection_id=event.subject)
                return Outcome()
        return Outcome(refused=said) if isinstance(said, RequestRefused) else Outcome(done=said)

    async def say(self, visit: Visit, data: Data) -> None:
        """Send a request whose answer comes when it comes, such as a due.

        Raises:
            BusAway: it was not sent.
        """
        await self._send(self._event(visit, data))

    def _event(self, visit: Visit, data: Data) -> Event[Any]:
        return Event(
            id=str(uuid.uuid4()),
            source=SOURCE,
            type=data.TYPE,
            time=self.now(),
            subject=data.subject or "",
            accountid=visit.account,
            actor=visit.session.sub[:256],
            data=data,
        )

    async def _send(self, event: Event[Any]) -> None:
        topic = topic_of(type(event.data))
        headers = (("content-type", CONTENT_TYPE.encode()),)
        letter = Letter(topic.name, event.subject.encode(), event.encoded(), headers)
        # Not cancelled: a producer that is stopped waits for its broker, and the page would wait with it.
        sending = asyncio.create_task(_sent(self.publish, letter))
        SENDING.add(sending)
        sending.add_done_callback(SENDING.discard)
        done, _ = await asyncio.wait({sending}, timeout=PUBLISHED_WITHIN)
        if not done or not sending.result():
            log.warning("not sent", type=event.type, connection_id=event.subject)
            raise BusAway


async def _sent(publish: Publish, letter: Letter) -> bool:
    from aiokafka.errors import KafkaError

    try:
        await publish([letter])
    except (KafkaError, OSError) as error:
        log.warning("not published", topic=letter.topic, why=type(error).__name__)
        return False
    return True
