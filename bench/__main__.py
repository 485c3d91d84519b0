"""`make bench`: every measurement, one after the other, each a process. `ARGS="relay ingest"`: some of them.
`ARGS="imports --mails 10000"`: one, with what it takes.

The figures go to the screen; `bench/RESULTS.md` is written by hand from a run on a quiet machine.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ORDER = (
    "transitions",
    "relay",
    "scheduler",
    "dues",
    "ingest",
    "onboarding",
    "memory",
    "catalog",
    "drivers",
    "exports",
    "runs",
    "renewals",
    "logins",
    "imports",
    "console",
)


def main(words: list[str]) -> int:
    """Run them; the exit code is the number of those that failed."""
    names = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    chosen, options = words[:names], words[names:]
    if options and len(chosen) != 1:
        print("Options are one measurement's: name it before them.")
        return 1
    if unknown := set(chosen) - set(ORDER):
        print(f"There is no measurement {', '.join(sorted(unknown))}: there are {', '.join(ORDER)}.")
        return 1
    failed = 0
    for name in chosen or ORDER:
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name(f"{name}.py")), *options], check=False
        )
        print(f"-- {name}: exit {done.returncode}, {time.monotonic() - began:.0f} s", flush=True)
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
