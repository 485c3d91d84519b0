"""`python -m paperbus.local.pin`: write kafka.jars anew, from the version named here. Part of `make lock`."""

import sys

from paperbus.local.jars import PINS, pin

# slf4j-simple so that Kafka's own log is written at all: its pom names no back end.
COORDINATES = ("org.apache.kafka:kafka_2.13:4.4.0", "org.slf4j:slf4j-simple:1.7.36")

HEAD = """\
# The jars of {first} with everything they need at run time.
# Written by `make lock`; one a line: SHA-256, size in bytes, group:artifact:version.
"""


def main() -> None:
    jars = pin(COORDINATES)
    lines = (f"{jar.sha256} {jar.size} {jar.coordinate}\n" for jar in jars)
    PINS.write_text(HEAD.format(first=COORDINATES[0]) + "".join(lines))
    sys.stdout.write(f"{PINS.name}: {len(jars)} jars, {sum(jar.size for jar in jars) / 1e6:.0f} MB\n")


if __name__ == "__main__":
    main()
