"""`make lock`: pins everything anew, the requirements with their hashes and the jars. Names no host."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from paperbus.local import pin

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

# Each file holds all that it needs. The widest is solved first; the others take the same versions.
FILES = {
    "requirements-dev.txt": ("local", "traces", "dev", "bench"),
    "requirements-local.txt": ("local",),
    "requirements.txt": ("traces",),
}
PURPOSE = {
    "requirements-dev.txt": "everything, with what tests, checks and benchmarks need",
    "requirements-local.txt": "the services and the embedded servers (make setup)",
    "requirements.txt": "the services alone, for production",
}

ELSEWHERE = ("aarch64-unknown-linux-gnu", "aarch64-apple-darwin")
"""Where `make run` is said to work too: every pin must have a wheel there."""


def compile_pins(extras: tuple[str, ...], constraint: Path | None) -> str:
    command = [str(BIN / "uv"), "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet", "--upgrade"]
    command += [part for extra in extras for part in ("--extra", extra)]
    command += ["--constraint", str(constraint)] if constraint else []
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603  ours
    # A comment that names the constraint file would change with where it lies.
    return re.sub(r"\n    # {3}-c [^\n]*", "", text)


def megabytes(pins: str) -> int:
    """What fetching it costs here, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pins.txt"
        file.write_text(pins)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*command, "-d", folder, "-r", str(file)], check=True)  # noqa: S603  ours
        return round(sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6)


def require_wheels(file: Path) -> None:
    """Ends `make lock` where one of the pins in `file` would have to be built."""
    command = [str(BIN / "uv"), "pip", "install", "--dry-run", "--quiet", "--python-version", "3.11"]
    command += ["--only-binary", ":all:", "--require-hashes", "--no-deps", "--requirements", str(file)]
    with tempfile.TemporaryDirectory() as folder:
        for system in ELSEWHERE:
            subprocess.run([*command, "--python-platform", system, "--target", folder], check=True)  # noqa: S603  ours


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        widest: Path | None = None
        for name, extras in FILES.items():
            pins = compile_pins(extras, widest)
            if not widest:
                widest = Path(folder) / "widest.txt"
                widest.write_text(pins)
            what = f"{PURPOSE[name].capitalize()}: fetches about {megabytes(pins)} MB"
            head = f"# {what}. Written by `make lock`.\n"
            (ROOT / name).write_text(head + pins)
            sys.stdout.write(head)
    require_wheels(ROOT / "requirements-local.txt")
    pin.main()


if __name__ == "__main__":
    main()
