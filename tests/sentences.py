"""Whether a sentence tells its reader what to do: in what it asks for, or in what it says that must be."""

from __future__ import annotations

import re

_TO_DO = (
    "announce|answer|ask|begin|change|check|choose|close|compare|create|enter|fill|get|give|go|leave"
    "|log in|look|make|move|must|name|needs|paste|please|put|read|rename|request|resume|seal|see|send"
    "|settle|start|tell|try|unlock|wait|write"
)
_SAYS = re.compile(
    rf"(?:^|[.:;,] |\b(?:and|or|then|please|can|you to) )(?:{_TO_DO})\b|\b(?:must|needs|begins a new)\b",
    re.IGNORECASE,
)


def says_what_to_do(sentence: str) -> bool:
    """Whether it ends as a sentence does, and names something for its reader to do."""
    return sentence.endswith((".", "!")) and _SAYS.search(sentence) is not None
