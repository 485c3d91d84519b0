"""`python -m paperbus.local.prove`: Kafka's jars are here and whole; mongod and java run on this system."""

import subprocess
import sys
from pathlib import Path

from paperbus.local import jars
from paperbus.local.errors import LocalServerError
from paperbus.local.kafka import java
from paperbus.local.libraries import require_libraries
from paperbus.local.mongo import mongod


def first_line(program: Path) -> str:
    result = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  our own
    return result.stdout.splitlines()[0]


def main() -> None:
    try:
        for title, program in (("MongoDB", mongod()), ("Java", java())):
            require_libraries(title, program)
            sys.stdout.write(f"{title}: {first_line(program)}\n")
        sys.stdout.write(f"Kafka: {len(jars.class_path())} jars, checked\n")
    except LocalServerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:  # whoever runs us hears of it too, and says so
        sys.exit(130)


if __name__ == "__main__":
    main()
