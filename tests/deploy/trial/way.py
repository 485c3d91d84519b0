"""One export in a composed set-up, walked by an outsider in a container: `python way.py DOCUMENTS`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OKPKey
from outside_steps import arrived, connect
from outsider import Outsider
from targets import HERE, PASSWORD, USER, Target

HOST = "platform"
"""The container's name on both networks."""


class Composed(Outsider):
    """An outsider whose documents are fetched over a network, by sync-runner's token alone."""

    @contextmanager
    def serving(self) -> Iterator[str]:
        outsider = self

        class Files(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                claims = jwt.decode(token, outsider.service_keys, algorithms=["EdDSA"]).claims
                document = self.path.strip("/")
                assert (claims["iss"], claims["document_id"]) == ("sync-runner", document), claims
                content = outsider.files[document]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("0.0.0.0", 0), Files)  # noqa: S104  a container's own network
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def webdav(folder: Path) -> Iterator[Target]:
    """WebDAV by rclone, where the services reach it."""
    folder.mkdir()
    serve = [
        HERE / "rclone",
        "serve",
        "webdav",
        folder,
        "--addr",
        ":8080",
        "--user",
        USER,
        "--pass",
        PASSWORD,
    ]
    apart = ["--config", os.devnull, "--cache-dir", folder.parent / "cache"]
    with subprocess.Popen([*serve, *apart], stderr=subprocess.DEVNULL) as process:
        time.sleep(1)
        try:
            yield Target(f"http://{HOST}:8080/", 8080, folder)
        finally:
            process.terminate()


def main(documents: int) -> None:
    """Connect, receive, be due, compare byte for byte."""
    key = OKPKey.import_key(json.loads(Path("/platform-key.json").read_text()))
    keys = os.environ["PAPERBUS_SERVICE_KEYS"]
    one = Composed("kafka:9092", key, "http://connections:8102", "http://sync-runner:8103", keys)
    with tempfile.TemporaryDirectory() as folder, webdav(Path(folder) / "target") as target, one.listening():
        connection, _ = connect(one, target)
        with one.serving() as origin:
            contents = {f"{n:05}.pdf": os.urandom(2000 + n) for n in range(documents)}
            sent = [one.document(content, name, origin) for name, content in contents.items()]
            one.due(connection)
            told = one.exported(connection, sent, seconds=120)
        assert {row["status"] for row in told.values()} == {"done"}, told
        assert arrived(target) == {f"Invoices/2026/{name}": content for name, content in contents.items()}
    print(f"{documents} of {documents} documents arrived, byte for byte.")  # noqa: T201  the trial's result


if __name__ == "__main__":
    main(int(sys.argv[1]))
