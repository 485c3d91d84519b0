"""The proxies of `deploy/`, as they are, before two pages that say what reached them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from secured import Authority
from servers import free_port

from paperbus.local.folder import LOOPBACK, answers

DEPLOY = Path(__file__).parents[2] / "deploy"
TOO_LONG = 2_000_000
SECRET = "canary-in-an-address"  # not one, but it should be treated as if


class Page(BaseHTTPRequestHandler):
    """Answers with its port, the path and the headers that came."""

    def do_GET(self) -> None:
        came = {"port": self.server.server_port, "path": self.path, "headers": dict(self.headers)}  # type: ignore[attr-defined]
        body = json.dumps(came).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        with contextlib.suppress(OSError):  # cut off by the proxy
            if len(self.rfile.read(int(self.headers["Content-Length"]))) == TOO_LONG:
                self.do_GET()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def pages() -> Iterator[tuple[int, int]]:
    """The ports of a console and of a login window."""
    both = [ThreadingHTTPServer((LOOPBACK, 0), Page) for _ in range(2)]
    for server in both:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield both[0].server_port, both[1].server_port
    for server in both:
        server.shutdown()
        server.server_close()


@contextmanager
def proxy(command: list[str], port: int, log: Path, **environ: str) -> Iterator[None]:
    if not shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip(f"by capability: there is no {command[0]} here")
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=os.environ | environ, stdout=out, stderr=out) as process,
    ):
        for _ in range(200):
            if answers(port):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


def looked_at(client: httpx.Client, console: str, window: str, ports: tuple[int, int], scheme: str) -> None:
    """Each page gets its own, with who asked; what is inside stays inside."""
    forged = {"X-Forwarded-For": "8.8.8.8"}
    for address, port, path in ((console, ports[0], "/enter"), (window, ports[1], "/window/1")):
        came = client.get(f"{address}{path}?token={SECRET}", headers=forged).json()
        assert (came["port"], came["path"]) == (port, f"{path}?token={SECRET}")
        headers = {name.lower(): value for name, value in came["headers"].items()}
        assert headers["x-forwarded-for"] == LOOPBACK, "a visitor's own word counts for nothing"
        assert headers["x-forwarded-proto"] == scheme
        for inner in ("/metrics", "/openapi.json", "/health/ready"):
            assert client.get(address + inner).status_code == httpx.codes.NOT_FOUND
        assert client.post(address + path, content=b"x" * TOO_LONG).status_code >= 400


def test_caddy_publishes_the_two_pages(pages: tuple[int, int], tmp_path: Path) -> None:
    console, window = (f"http://{LOOPBACK}:{free_port()}" for _ in range(2))
    upstreams = {"CONSOLE": f"{LOOPBACK}:{pages[0]}", "WINDOW": f"{LOOPBACK}:{pages[1]}"}
    folders = {"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    urls = {"PAPERBUS_CONSOLE_URL": console, "PAPERBUS_PUBLIC_URL": window}
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    log = tmp_path / "caddy.log"

    with (
        proxy(command, int(console.rpartition(":")[2]), log, **upstreams, **folders, **urls),
        httpx.Client() as client,
    ):
        looked_at(client, console, window, pages, "http")

    assert SECRET not in log.read_text()


def test_nginx_publishes_the_two_pages(pages: tuple[int, int], tmp_path: Path) -> None:
    authority, port = Authority.fresh(tmp_path / "tls"), free_port()
    (tmp_path / "tls.conf").write_text(
        f"ssl_certificate {authority.server};\nssl_certificate_key {authority.server};\n"
    )
    site = (DEPLOY / "nginx.conf").read_text()
    for shown, here in (
        ("/etc/nginx/paperbus-tls.conf", str(tmp_path / "tls.conf")),
        ("/var/log/nginx", str(tmp_path)),
        ("listen 443", f"listen {LOOPBACK}:{port}"),
        ("listen 80", f"listen {LOOPBACK}:{free_port()}"),
        ("console.example.com", "localhost"),
        ("connect.example.com", LOOPBACK),
        ("127.0.0.1:8100", f"{LOOPBACK}:{pages[0]}"),
        ("127.0.0.1:8112", f"{LOOPBACK}:{pages[1]}"),
    ):
        assert shown in site
        site = site.replace(shown, here)
    temporary = "".join(
        f"{name}_temp_path {tmp_path / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log stderr crit; events {{}}\nhttp {{\n{temporary}{site}}}\n"
    )

    with (
        proxy(["nginx", "-c", str(config)], port, tmp_path / "nginx.log"),
        httpx.Client(verify=ssl.create_default_context(cafile=authority.ca)) as client,
    ):
        looked_at(client, f"https://localhost:{port}", f"https://{LOOPBACK}:{port}", pages, "https")

    logged = (tmp_path / "paperbus.log").read_text()
    assert "/enter" in logged
    assert SECRET not in logged + (tmp_path / "nginx.log").read_text()
