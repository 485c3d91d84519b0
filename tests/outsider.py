"""A platform as somebody else would write it, from the contract alone, with none of our code."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from confluent_kafka import Consumer, Producer
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, OKPKey

Json = dict[str, Any]
TOPICS = (
    "connections.events",
    "syncs.events",
    "catalog.events",
    "connections.requests.dead",
    "syncs.requests.dead",
)
HEADER = {"content-type": b"application/cloudevents+json; charset=utf-8"}
BACK_SOON = {"reconnect.backoff.ms": 100, "reconnect.backoff.max.ms": 500}


class Outsider:
    """One account of a platform: it asks, it listens, it serves its documents."""

    def __init__(
        self, kafka: str, key: OKPKey, connections: str, sync_runner: str, keys: str, **client: str
    ) -> None:
        self.account = f"account-{uuid.uuid4().hex[:8]}"
        self.key = key
        self.connections = connections
        self.sync_runner = sync_runner
        self.service_keys = KeySet.import_key_set(json.loads(keys))
        self.kafka = kafka
        # Back at once after a restart of the broker: librdkafka pauses for up to 10 s.
        self.client = {"bootstrap.servers": kafka, **BACK_SOON, **client}
        self.group = client.get("sasl.username", "outsider")
        self.producer = Producer({**self.client, "enable.idempotence": True, "linger.ms": 1})
        self.heard: list[tuple[str, Json]] = []
        self.odd: list[Json] = []
        """Events whose key or header is not as the contract has it."""
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.claims_any_document = False
        self.news = threading.Condition()
        self.stopped = threading.Event()

    def token(self, role: str = "admin", account: str | None = None, **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": "platform", "sub": "user-1", "aud": "paperbus", "iat": now, "exp": now + 600}
        said |= {"jti": str(uuid.uuid4()), "account": account or self.account, "role": role, **claims}
        return jwt.encode({"alg": "EdDSA", "kid": self.key.kid}, said, self.key, algorithms=["EdDSA"])

    def get(self, url: str, role: str = "admin", account: str | None = None) -> httpx.Response:
        return httpx.get(url, headers={"Authorization": f"Bearer {self.token(role, account)}"}, timeout=20)

    def say(self, topic: str, name: str, data: Json, subject: str | None = None, **envelope: Any) -> Json:
        """Publish one event; returns it once Kafka has it."""
        event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/outsider"}
        event |= {"type": f"paperbus.{name}.v1", "time": datetime.now(UTC).isoformat()}
        event |= {
            "subject": subject or data.get("connection_id") or data.get("document_id") or str(uuid.uuid4())
        }
        event |= {"datacontenttype": "application/json", "accountid": self.account, "data": data, **envelope}
        self.publish(topic, event["subject"], json.dumps(event).encode())
        return event

    def publish(
        self, topic: str, key: str, value: bytes, headers: list[tuple[str, bytes]] | None = None
    ) -> None:
        self.producer.produce(topic, value, key=key, headers=headers or [*HEADER.items()])
        assert self.producer.flush(60) == 0

    def ask(self, request: str, /, **data: Any) -> Json:
        return self.say("connections.requests", request, data)

    def wait(
        self, name: str, about: str, holds: Callable[[Json], bool] = lambda _: True, seconds: float = 45
    ) -> Json:
        """The first event of that name about a connection for which `holds` is true."""

        def found() -> Json | None:
            for _, event in list(self.heard):
                if (
                    event["type"] == f"paperbus.{name}.v1"
                    and event["subject"] == about
                    and holds(event["data"])
                ):
                    return event
            return None

        with self.news:
            if not self.news.wait_for(found, seconds):
                passed = [event["type"].split(".")[1] for _, event in self.heard if event["subject"] == about]
                raise AssertionError(f"no {name} about {about} within {seconds:.0f} s; heard {passed}")
        event = found()
        assert event is not None
        return event

    def refused(self, request: Json, seconds: float = 45) -> Json:
        """The refusal of that request."""
        about = request["data"].get("connection_id", request["subject"])
        event = self.wait("RequestRefused", about, lambda data: data["request_id"] == request["id"], seconds)
        assert event["accountid"] == request["accountid"]
        assert event["data"]["request_source"] == request["source"]
        assert event["data"]["request_type"] == request["type"]
        return event["data"]

    def seal(self, challenge: Json, values: Json, **other: Any) -> str:
        """A sealed answer to `challenge`, as the contract says."""
        now = int(time.time())
        said = {
            "aud": "paperbus.connections",
            "token": self.token(),
            "connection_id": challenge["connection_id"],
        }
        said |= {
            "challenge_id": challenge["challenge_id"],
            "answer_id": str(uuid.uuid4()),
            "action": "answer",
        }
        said |= {"iat": now, "exp": now + 600, "fields": values, **other}
        keys = httpx.get(f"{self.connections}/.well-known/jwks.json", timeout=20).raise_for_status().json()
        key = ECKey.import_key(keys["keys"][0])
        header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": key.kid, "typ": "paperbus-answer+jwe"}
        return jwe.encrypt_compact(header, json.dumps(said), key, algorithms=["ECDH-ES", "A256GCM"])

    def answer(self, challenge: Json, values: Json, **other: Any) -> Json:
        data = {"connection_id": challenge["connection_id"], "challenge_id": challenge["challenge_id"]}
        return self.say(
            "connections.answers",
            "AuthChallengeAnswerSubmitted",
            {**data, "sealed": self.seal(challenge, values, **other)},
        )

    def document(self, content: bytes, filename: str, origin: str, **metadata: Any) -> Json:
        """A document of the platform, served until the end; returns the data of its event."""
        document = str(uuid.uuid4())
        self.files[document] = content
        data = {"document_id": document, "version": 1, "filename": filename, "media_type": "application/pdf"}
        data |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        data |= {"content_url": f"{origin}/{document}", "received_at": datetime.now(UTC).isoformat()}
        data["metadata"] = {"document_type": "invoice", "issue_date": "2026-11-20", **metadata}
        self.say("documents.events", "DocumentReceived", data)
        return data

    def due(self, connection: str, **more: Any) -> Json:
        data = {
            "connection_id": connection,
            "due_at": datetime.now(UTC).isoformat(),
            "reason": "manual",
            **more,
        }
        return self.say("syncs.requests", "ExportDue", data)

    def exported(self, connection: str, documents: list[Json], seconds: float = 60) -> dict[str, Json]:
        """What was told of these documents, once all were told of."""
        wanted = {document["document_id"] for document in documents}
        told: dict[str, Json] = {}

        def all_told() -> bool:
            for _, event in list(self.heard):
                if event["type"] == "paperbus.DocumentsExported.v1" and event["subject"] == connection:
                    told.update({row["document_id"]: row for row in event["data"]["documents"]})
            return wanted <= set(told)

        with self.news:
            assert self.news.wait_for(all_told, seconds), (
                f"{len(wanted - set(told))} of {len(wanted)} not told of"
            )
        return told

    def _listen(self, ready: threading.Event) -> None:
        consumer = Consumer(
            {
                **self.client,
                "group.id": f"{self.group}.{uuid.uuid4()}",
                "auto.offset.reset": "earliest",
            }
        )
        consumer.subscribe(list(TOPICS), on_assign=lambda *_: ready.set())
        while not self.stopped.is_set():
            message = consumer.poll(0.1)
            if message is None or message.error() or message.topic().endswith(".dead"):
                continue
            event = json.loads(message.value())
            if (message.key(), dict(message.headers() or ())) != (event["subject"].encode(), HEADER):
                self.odd.append(event)
            self.hear(message.topic(), event)
        consumer.close()

    def hear(self, topic: str, event: Json) -> None:
        """One event has come."""
        with self.news:
            self.heard.append((topic, event))
            self.news.notify_all()

    @contextmanager
    def listening(self) -> Iterator[None]:
        ready = threading.Event()
        ears = threading.Thread(target=self._listen, args=(ready,), daemon=True)
        ears.start()
        assert ready.wait(30)
        try:
            yield
        finally:
            self.stopped.set()
            ears.join(10)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serves the documents to sync-runner alone; yields the origin."""
        outsider = self

        class Files(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                document = self.path.strip("/")
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                claims = jwt.decode(token, outsider.service_keys, algorithms=["EdDSA", "ES256"]).claims
                assert claims["iss"] == "sync-runner"
                assert claims["aud"] == f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
                assert claims["account"] == outsider.account
                assert claims["document_id"] == document or outsider.claims_any_document
                assert claims["exp"] <= claims["iat"] + 300
                content = outsider.files[document]
                outsider.fetched.append(document)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
