"""XML from servers that nobody vouches for, read piece by piece. It knows no protocol. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

PIECE = 64 * 1024
"""Characters that are parsed at once: between two pieces other threads have their turn."""
MOST_ELEMENTS = 1_000_000
"""A listing of 16 MB stays below; 16 MB can also be 4 million, which would fill the memory."""
_REFUSED = ("<!DOCTYPE", "<!ENTITY", "\0")
"""With a NUL in it expat takes even UTF-8 for UTF-16 (XML 1.0 appendix F), where the others hide."""


def elements(body: bytes, most: int = MOST_ELEMENTS) -> Iterator[Element]:
    """The elements right below the root, whole, one after another; none is kept.

    Only UTF-8 is read, whatever the XML says of itself, so that what is looked for is what is parsed.

    Raises:
        ValueError: it is no XML in UTF-8, declares a document type or entities, or has more than `most`
            elements.
    """
    text = body.decode("utf-8-sig")
    if any(each in text for each in _REFUSED):
        raise ValueError("document types are not read")
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    above: list[Element] = []
    count = 0
    try:
        for start in range(0, len(text), PIECE):
            parser.feed(text[start : start + PIECE])
            for event, element in cast(Iterable[tuple[str, Element]], parser.read_events()):
                if event == "start":
                    above.append(element)
                    count += 1
                    if count > most:
                        raise ValueError("too many elements")
                    continue
                above.pop()
                if len(above) == 1:
                    yield element
                    above[0].clear()
        parser.close()
    except ParseError:
        raise ValueError("no XML") from None
