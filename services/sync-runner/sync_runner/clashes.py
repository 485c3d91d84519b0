"""What to do where a name may be taken: the rules of the option `clash` as a table. Pure.

| found at the name       | skip_same | number | replace | reject |
|-------------------------|-----------|--------|---------|--------|
| nothing                 | put       | put    | put     | put    |
| these bytes, put by us for this row | done | done | done | done |
| the beginning of these bytes, left by our cut try | replace | replace | replace | replace |
| these bytes             | done      | number | done    | done   |
| other bytes             | number    | number | replace | reject |
| another document of ours, other bytes | number | number | number | reject |
| another document of ours, these bytes | done | number | number | done |
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

Clash = Literal["skip_same", "number", "replace", "reject"]


class At(Enum):
    """What is found at a name."""

    NOTHING = "nothing"
    OUR_TRY = "these bytes, put by us for this row"
    OUR_HALF = "the beginning of these bytes, left by our cut try"
    SAME = "these bytes"
    OTHER = "other bytes"
    OURS_OTHER = "another document of ours, other bytes"
    OURS_SAME = "another document of ours, these bytes"


class Action(Enum):
    """What follows."""

    PUT = "put"
    DONE = "done"
    NUMBER = "number"
    REPLACE = "replace"
    REJECT = "reject"


_RULES: dict[Clash, dict[At, Action]] = {
    "skip_same": {
        At.SAME: Action.DONE,
        At.OTHER: Action.NUMBER,
        At.OURS_SAME: Action.DONE,
        At.OURS_OTHER: Action.NUMBER,
    },
    "number": {
        At.SAME: Action.NUMBER,
        At.OTHER: Action.NUMBER,
        At.OURS_SAME: Action.NUMBER,
        At.OURS_OTHER: Action.NUMBER,
    },
    # To replace is for an older version of the same document: two documents never take each other's place.
    "replace": {
        At.SAME: Action.DONE,
        At.OTHER: Action.REPLACE,
        At.OURS_SAME: Action.NUMBER,
        At.OURS_OTHER: Action.NUMBER,
    },
    "reject": {
        At.SAME: Action.DONE,
        At.OTHER: Action.REJECT,
        At.OURS_SAME: Action.DONE,
        At.OURS_OTHER: Action.REJECT,
    },
}


def decide(rule: Clash, found: At) -> Action:
    """What `rule` says of a name where this is found."""
    if found is At.NOTHING:
        return Action.PUT
    if found is At.OUR_HALF:
        return Action.REPLACE
    return Action.DONE if found is At.OUR_TRY else _RULES[rule][found]
