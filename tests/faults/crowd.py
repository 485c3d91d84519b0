"""Many accounts that go the whole way of an export at once, again and again, while things break around them.

Each asserts for itself what must hold at its end: nothing lost, nothing doubled, every event there, in order.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from outsider import Json, Outsider
from running import Running
from targets import Target

OPTIONS = {"filename": "{filename}", "clash": "number", "sidecar": "none"}
DOCUMENTS = 6
PATIENCE = 300.0
"""Seconds for one step, in which several kills may fall: a lease that has to run out is 30 s; a run that
nothing could be lent to for a minute is looked for again after another."""
ONCE = ("ConnectionAuthorized", "ConnectionSaved", "ConnectionChanged", "ConnectionRemoved")


class Walker(Outsider):
    """One account on its way. It hears what is about its own connection."""

    def __init__(self, crowd: Crowd) -> None:
        vars(self).update(vars(crowd.ears))
        self.account = f"account-{uuid.uuid4().hex[:8]}"
        self.connection = str(uuid.uuid4())
        self.heard, self.files, self.fetched = [], {}, []
        self.news = threading.Condition()
        self.target = crowd.target
        self.interrupted = 0

    def seal(self, challenge: Json, values: Json, **other: Any) -> str:
        """Asked again while connections is away."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return super().seal(challenge, values, **other)
            except httpx.HTTPError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def walk(self) -> None:
        """The whole way; raises AssertionError where something is not as it must be."""
        self.ask(
            "ConnectionRequested",
            connection_id=self.connection,
            direction="export",
            provider_id="webdav",
            answer_by="sealed",
            schedule={"every": "manual"},
        )
        self._log_in()
        options = {**OPTIONS, "folder": f"/{self.connection}"}
        self.ask("ConnectionOptionsSubmitted", connection_id=self.connection, options=options)
        self.wait("ConnectionSaved", self.connection, seconds=PATIENCE)
        with self.serving() as origin:
            documents = [
                self.document(f"{self.connection} {n}".encode(), f"{n % 4}.pdf", origin)
                for n in range(DOCUMENTS)
            ]
            self.due(self.connection)
            self._done(documents)
        self.ask(
            "ConnectionChangeRequested", connection_id=self.connection, expected_revision=1, name="renamed"
        )
        self.wait("ConnectionChanged", self.connection, seconds=PATIENCE)
        self.ask("ConnectionRemovalRequested", connection_id=self.connection)
        self.wait("ConnectionRemoved", self.connection, seconds=PATIENCE)
        self._nothing_lost_or_doubled()

    def _log_in(self) -> None:
        """Answers until it is authorized. A try whose worker died is asked anew, never tried by itself."""
        fields = {"url": self.target.url, "username": self.target.username, "password": self.target.password}
        answered: set[str] = set()
        while not self._said("ConnectionAuthorized"):
            challenge = self._next(answered)
            if challenge is None:
                continue
            if answered:
                assert challenge["error"]["reason"] == "interrupted", challenge["error"]
                self.interrupted += 1
            answered.add(challenge["challenge_id"])
            self.answer(challenge, fields)

    def _next(self, answered: set[str]) -> Json | None:
        """The next challenge; None once the login has ended."""

        def news() -> bool:
            assert not any(
                event["data"]["result"] != "authorized" for event in self._said("AuthSessionEnded")
            )
            return bool(self._said("ConnectionAuthorized") or fresh())

        def fresh() -> list[Json]:
            asked = [event["data"] for event in self._said("AuthChallengeIssued")]
            return [data for data in asked if data["challenge_id"] not in answered]

        with self.news:
            assert self.news.wait_for(news, PATIENCE), f"neither asked nor authorized; heard {self._names()}"
        return next(iter(fresh()), None)

    def _done(self, documents: list[Json]) -> None:
        """Until each is told of as done."""
        wanted = {document["document_id"] for document in documents}

        def all_done() -> bool:
            rows = [row for event in self._said("DocumentsExported") for row in event["data"]["documents"]]
            return wanted <= {row["document_id"] for row in rows if row["status"] == "done"}

        with self.news:
            assert self.news.wait_for(all_done, PATIENCE), f"not all are done; heard {self._names()}"

    def _said(self, name: str) -> list[Json]:
        return [event for _, event in list(self.heard) if event["type"] == f"paperbus.{name}.v1"]

    def _names(self) -> list[str]:
        return [event["type"].split(".")[1] for _, event in list(self.heard)]

    def _nothing_lost_or_doubled(self) -> None:
        folder = Path(self.target.folder) / self.connection
        arrived = Counter(path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".part"))
        assert arrived == Counter(self.files.values()), "lost or doubled at the target"

        rows = {event["id"]: event["data"]["documents"] for event in self._said("DocumentsExported")}
        done = Counter(
            row["document_id"] for said in rows.values() for row in said if row["status"] == "done"
        )
        assert done == Counter(self.files.keys()), "a document is told of twice, or never"

        names = Counter(
            name for name, _ in {(event["type"].split(".")[1], event["id"]) for _, event in self.heard}
        )
        assert {name: names[name] for name in ONCE} == dict.fromkeys(ONCE, 1)
        assert names["AuthChallengeAnswered"] == names["AuthChallengeIssued"]
        assert names["RequestRefused"] == 0
        self._in_order()

    def _in_order(self) -> None:
        """Who drops what is older than what it knows misses nothing: first hearings rise in `sequence`."""
        firsts: dict[str, dict[str, int]] = defaultdict(dict)
        for topic, event in self.heard:
            if "sequence" in event:
                firsts[topic].setdefault(event["id"], int(event["sequence"]))
        for topic, said in firsts.items():
            assert list(said.values()) == sorted(said.values()), f"out of order on {topic}"


class Crowd:
    """Walkers, one thread each, one after the other until it is over."""

    def __init__(self, services: Running, target: Target, size: int = 10) -> None:
        self.ears = Ears(services)
        self.target = target
        self.size = size
        self.walking: dict[str, Walker] = {}
        self.ended: list[Walker] = []
        self.wrong: list[BaseException] = []
        self._over = threading.Event()

    @contextmanager
    def walking_about(self) -> Iterator[None]:
        """They walk while the block runs; afterwards each ends its way. Raises what was wrong with any."""
        threads = [threading.Thread(target=self._walk, daemon=True) for _ in range(self.size)]
        with self.ears.listening():
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                self._over.set()
            for thread in threads:
                thread.join(6 * PATIENCE)
        self.is_well()

    def is_well(self) -> None:
        if self.wrong:
            raise AssertionError(f"{len(self.wrong)} of {len(self.ended)} went wrong") from self.wrong[0]

    def _walk(self) -> None:
        while not self._over.is_set() and not self.wrong:
            walker = Walker(self)
            self.ears.walkers[walker.connection] = self.walking[walker.connection] = walker
            try:
                walker.walk()
            except BaseException as wrong:  # noqa: BLE001 - told to whoever waits
                wrong.add_note(f"of {walker.connection}, that heard {walker._names()}")
                self.wrong.append(wrong)
            finally:
                self.ended.append(self.walking.pop(walker.connection))


class Ears(Outsider):
    """Hears everything once, and tells each walker what is about it."""

    def __init__(self, services: Running) -> None:
        self.walkers: dict[str, Walker] = {}
        self.published: set[str] = set()
        """The names of providers."""
        super().__init__(
            services.kafka,
            services.platform_key,
            services.url("connections"),
            services.url("sync-runner"),
            services.environment["PAPERBUS_SERVICE_KEYS"],
        )

    def hear(self, topic: str, event: Json) -> None:
        if walker := self.walkers.get(event["subject"]):
            walker.hear(topic, event)
        if manifest := event["data"].get("manifest"):
            self.published.add(manifest["name"]["en"])
