"""An archive that nobody here wrote: Mayan EDMS, with SQLite, in an environment and a process of its own.

Its packages and an empty archive are made once, in the cache; each server begins with a copy of that.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from servers import NoServer
from targets import serving

from paperbus.local.cache import cache_folder
from paperbus.local.folder import LOOPBACK, free_port

HERE = Path(__file__).parent / "peers" / "archive"
USER, PASSWORD = "admin", "correct-horse-1"
LEFT_OUT = (
    "authentication_oidc.apps.AuthenticationOIDCApp",
    "file_metadata_ollama.apps.FileMetadataOllamaApp",
    "file_metadata_openai.apps.FileMetadataOpenAIApp",
    "mirroring.apps.MirroringApp",
    "platforms_sentry.apps.PlatformsSentryApp",
    "signature_captures.apps.SignatureCapturesApp",
)
"""Apps of Mayan's that want packages which have nothing to do with documents."""
OTHERS = ("mozilla_django_oidc", "drf_spectacular_sidecar")


@dataclass(frozen=True)
class Archive:
    """A running one. What is put there goes by its own interface, version 4."""

    url: str

    def put(self, name: str, data: bytes) -> int:
        """A new document with this file; its id."""
        files = {"file": (name, data, "application/pdf")}
        return int(self._said("POST", "documents/upload/", data={"document_type_id": 1}, files=files)["id"])

    def replace(self, document: int, name: str, data: bytes) -> None:
        """A document gets a newer file."""
        files = {"file_new": (name, data, "application/pdf")}
        self._said("POST", f"documents/{document}/files/", data={"action_name": "replace"}, files=files)

    def _said(self, method: str, path: str, **more: Any) -> Any:
        url = f"{self.url}/api/v4/{path}"
        answer = httpx.request(method, url, auth=(USER, PASSWORD), timeout=60, **more)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextlib.contextmanager
def archive(folder: Path) -> Iterator[Archive]:
    """An empty archive with one user, kept in `folder`.

    Raises:
        NoServer: it cannot be made or started here.
    """
    made = archive_made()
    settings = shutil.ignore_patterns("config*.yml")  # they name the folder that they were saved in
    shutil.copytree(made / "media", folder / "media", ignore=settings)
    port = free_port()
    command = [*_as(made, folder / "media"), "-m", "django", "runserver", f"{LOOPBACK}:{port}"]
    with serving([*command, "--noreload", "--skip-checks"], port, folder):
        yield Archive(f"http://{LOOPBACK}:{port}")


def archive_made() -> Path:
    """The folder with its environment and an empty archive, made where it is not there yet.

    Raises:
        NoServer: it cannot be made here.
    """
    parts = [each.read_bytes() for each in sorted(HERE.iterdir()) if each.is_file()]
    kind = f"{sys.version_info.major}.{sys.version_info.minor} {LEFT_OUT} {OTHERS}".encode()
    name = hashlib.sha256(b"\0".join([*parts, kind])).hexdigest()[:16]
    folder = cache_folder() / "mayan-edms" / name
    if (folder / "made").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    pins = HERE / "requirements.txt"
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-compile"]
    try:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([*pip, "--no-deps", "--require-hashes", "-r", str(pins)])
        (folder / "media").mkdir()
        django = [*_as(folder, folder / "media"), "-m", "django"]
        _run([*django, "migrate", "--run-syncdb"])
        _run([*django, "common_initial_setup", "--force", "--no-dependencies"])
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or b"").decode()[-500:]
        raise NoServer(f"Mayan EDMS cannot be made here: {type(error).__name__} {said}") from None
    (folder / "made").touch()
    return folder


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=600)


def _as(made: Path, media: Path) -> Sequence[str]:
    """Its Python, with an archive in `media`."""
    left_out = [*(f"mayan.apps.{app}" for app in LEFT_OUT), *OTHERS]
    environment = {
        "DJANGO_SETTINGS_MODULE": "archive_settings",
        "PYTHONPATH": str(HERE),
        "MAYAN_MEDIA_ROOT": str(media),
        "MAYAN_COMMON_DISABLED_APPS": json.dumps(left_out),
        "MAYAN_AUTOADMIN_PASSWORD": PASSWORD,
        "MAYAN_SEARCH_BACKEND": "mayan.apps.dynamic_search.backends.django.DjangoSearchBackend",
    }
    return [
        "/usr/bin/env",
        *(f"{name}={value}" for name, value in environment.items()),
        str(made / "bin" / "python"),
    ]


if __name__ == "__main__":
    sys.stdout.write(f"{archive_made()}\n")
