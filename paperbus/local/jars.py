"""Kafka's jars: the pinned list, and how they come into the cache. The list names no host."""

import contextlib
import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from paperbus.local.cache import cache_folder
from paperbus.local.errors import NotFetched
from paperbus.local.folder import make_folder, space_for

PINS = Path(__file__).with_name("kafka.jars")
SPARE = 50_000_000  # bytes kept free beside what is fetched


@dataclass(frozen=True)
class Jar:
    """One pinned file: `coordinate` is group:artifact:version of the Maven repository, `size` in bytes."""

    sha256: str
    size: int
    coordinate: str

    @property
    def name(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def pinned() -> list[Jar]:
    lines = (line.split() for line in PINS.read_text().splitlines() if line and not line.startswith("#"))
    return [Jar(sha256, int(size), coordinate) for sha256, size, coordinate in lines]


def jars_folder() -> Path:
    return cache_folder() / "jars"


def missing() -> list[Jar]:
    """The pinned jars that are not in the cache, or are there with other bytes."""
    return [jar for jar in pinned() if not _whole(jars_folder() / jar.name, jar)]


def class_path() -> list[Path]:
    """All jars, checked, fetched first if need be. Raises NotFetched, NoSpace."""
    if missing():
        with _alone():
            fetch(missing())
    return [jars_folder() / jar.name for jar in pinned()]


def fetch(jars: Sequence[Jar]) -> None:
    """Fetch into the cache, showing progress. Each file appears whole and checked, or not at all."""
    if not jars:
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    total = sum(jar.size for jar in jars)
    make_folder(jars_folder(), total * 2 + SPARE)
    console = Console(stderr=True)
    console.print(f"Fetching Kafka: {len(jars)} files, {total / 1e6:.0f} MB, kept in {jars_folder()}")
    columns = (TextColumn("Kafka"), BarColumn(), DownloadColumn())
    with _workshop() as workshop, Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        with ThreadPoolExecutor(8) as pool, space_for(jars_folder(), total * 2 + SPARE):
            for size in pool.map(lambda jar: _fetch_one(jar, workshop), jars):
                bar.advance(task, size)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One process fetches; others wait for it. What a killed one left is cleared away."""
    jars_folder().mkdir(parents=True, exist_ok=True)
    with (jars_folder() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for cut_off in jars_folder().glob(".fetching-*"):
            shutil.rmtree(cut_off)
        yield


@contextlib.contextmanager
def _workshop() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=".fetching-", dir=jars_folder()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch_one(jar: Jar, workshop: Path) -> int:
    import requests
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    group, artifact, version = jar.coordinate.split(":")
    context = MavenContext(
        repo_cache=workshop, remote_repos=GlobalSettings.load().repositories or None, timeout=30
    )
    try:
        file = context.project(group, artifact).at_version(version).artifact().resolve()
    except requests.RequestException as error:
        raise NotFetched(jar.name, "the package registry does not answer") from error
    except RuntimeError as error:  # jgo's word for "no repository has it", and for a wrong checksum
        raise NotFetched(jar.name, "the package registry did not send it") from error
    if not _whole(file, jar):
        raise NotFetched(jar.name, "its SHA-256 is not the pinned one")
    file.replace(jars_folder() / jar.name)
    return jar.size


def _whole(file: Path, jar: Jar) -> bool:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


def pin(coordinates: Sequence[str]) -> list[Jar]:
    """What `coordinates` and everything they need at run time are now; fetched to be hashed."""
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=30)
        asked = [context.create_dependency(coordinate) for coordinate in coordinates]
        found = {
            f"{needed.groupId}:{needed.artifactId}:{needed.version}": needed.artifact.resolve()
            for group in context.resolver.resolve(asked)
            for needed in group
        }
        return [
            Jar(hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size, coordinate)
            for coordinate, file in sorted(found.items())
        ]
