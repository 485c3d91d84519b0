"""The examples of docs/integrate.md, run as they are, as programs of their own."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from outside_steps import arrived, connect, login
from outsider import Outsider
from servers import free_port
from targets import Target

from paperbus.local.folder import answers

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]
EXAMPLES = Path(__file__).parents[2] / "examples"


def environment(outsider: Outsider, **more: str) -> dict[str, str]:
    return {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": outsider.kafka, **more}


def run(outsider: Outsider, name: str, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env=environment(outsider),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(outsider: Outsider, name: str, *arguments: str, **more: str) -> Iterator[list[str]]:
    """The program in the background; yields its lines as they come."""
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env=environment(outsider, **more),
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        threading.Thread(target=lambda: lines.extend(iter(program.stdout.readline, "")), daemon=True).start()
        try:
            yield lines
        finally:
            program.kill()


def until(holds: Any, seconds: float = 45) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def test_a_document_is_told_of_a_due_is_sent_and_the_result_is_read(
    outsider: Outsider, webdav: Target, tmp_path: Path
) -> None:
    connection, _ = connect(outsider, webdav)
    file = tmp_path / "invoice.pdf"
    file.write_bytes(b"%PDF made for this test")

    with outsider.serving() as origin, running(outsider, "consumer.py", f"test-{uuid.uuid4()}") as lines:
        url = f"{origin}/{uuid.uuid4()}"
        outsider.claims_any_document = True
        outsider.files[url.rsplit("/", 1)[1]] = file.read_bytes()
        told = run(outsider, "producer.py", outsider.account, str(file), url)
        document = told.split()[-1].rstrip(".")
        assert connection in run(outsider, "due.py", stdin=f"{outsider.account} {connection}\n")
        until(lambda: any(document in line for line in lines))

    assert [line.split()[2] for line in lines if document in line] == ["done"]
    assert list(arrived(webdav).values()) == [file.read_bytes()]


def test_a_stock_is_handed_over_and_cut_and_started_again_doubles_nothing(
    outsider: Outsider, webdav: Target
) -> None:
    with outsider.serving() as origin:
        lines = []
        for n in range(30):
            document, content = str(uuid.uuid4()), f"stock {n}".encode()
            outsider.files[document] = content
            data = {
                "account": outsider.account,
                "document_id": document,
                "version": 1,
                "filename": f"{n}.pdf",
            }
            data |= {
                "media_type": "application/pdf",
                "size": len(content),
                "content_url": f"{origin}/{document}",
            }
            data |= {
                "sha256": hashlib.sha256(content).hexdigest(),
                "received_at": datetime.now(UTC).isoformat(),
            }
            lines.append(json.dumps(data))
        run(outsider, "stock.py", stdin="\n".join(lines[:20]))
        run(outsider, "stock.py", stdin="\n".join(lines))

        connection, _ = connect(outsider, webdav, start="all")
        outsider.due(connection)
        told = outsider.exported(
            connection, [{"document_id": json.loads(line)["document_id"]} for line in lines]
        )

    assert {row["status"] for row in told.values()} == {"done"}
    assert sorted(arrived(webdav).values()) == sorted(f"stock {n}".encode() for n in range(30))


class Letterbox:
    """Takes what aiosmtpd receives."""

    def __init__(self) -> None:
        self.letters: list[Any] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: Any
    ) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        await asyncio.sleep(0)
        return "250 taken"


def test_an_account_that_needs_attention_becomes_a_mail_and_a_new_login_brings_what_waited(
    outsider: Outsider, tmp_path: Path
) -> None:
    from targets import rclone_webdav

    letters, port = Letterbox(), free_port()
    with rclone_webdav(tmp_path / "t") as webdav:
        connection, _ = connect(outsider, webdav, locale="de")
        webdav_port = webdav.port
    with rclone_webdav_other_password(tmp_path / "t", webdav_port), outsider.serving() as origin:
        outsider.document(b"x", "x.pdf", origin)
        outsider.due(connection)
        event = outsider.wait("ConnectionNeedsAttention", connection)

        outsider.ask("ReauthenticationRequested", connection_id=connection, answer_by="sealed")
        asked = outsider.wait(
            "AuthChallengeIssued", connection, lambda data: data["purpose"] == "reauthenticate"
        )
        outsider.answer(asked["data"], {**login(webdav), "password": "new"})
        outsider.wait("ConnectionRecovered", connection)
        outsider.wait("DocumentsExported", connection, lambda data: data["counts"]["done"] == 1)
        assert list(arrived(webdav).values()) == [b"x"]
    with running(outsider, "notify.py", "jane@firm.example", SMTP_HOST=f"127.0.0.1:{port}") as lines:
        until(lambda: any("The mail server is away" in line for line in lines))
        controller = Controller(letters, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            until(lambda: any(connection in letter.get_content() for letter in letters.letters))
        finally:
            controller.stop()

    mine = [letter for letter in letters.letters if connection in letter.get_content()]
    assert len(mine) == 1
    assert mine[0]["Subject"] == event["data"]["title"]
    assert event["data"]["reason"] == "credentials_wrong"
    assert mine[0]["Message-ID"] == f"<{event['id']}@paperbus>"


@contextmanager
def rclone_webdav_other_password(folder: Path, port: int) -> Iterator[None]:
    """The same server at the same place, whose owner has changed the password."""
    rclone = Path(sys.executable).parent / "rclone"
    command = [
        str(rclone),
        "serve",
        "webdav",
        str(folder),
        f"--addr=127.0.0.1:{port}",
        "--user=jane",
        "--pass=new",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(port) or process.poll() is not None)
            assert process.poll() is None
            yield
        finally:
            process.kill()
