"""What a provider's answer says: values by their places, and which row of a table holds. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jsonpointer import JsonPointer, JsonPointerException

from providers.errors import ProviderError
from providers.login import media, texts
from providers.login.exchange import Page
from schemas.calls import Each, From, Then
from schemas.reasons import Reason

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

LONGEST = 4_000
"""Characters of one value."""
MOST_CHOICES = 50


class Reading:
    """One answer, read as what is asked of it: JSON or HTML, each parsed once and only if needed."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @cached_property
    def text(self) -> str:
        """The answer as text."""
        return self.page.body.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:
        """The answer as JSON; None where it is none."""
        try:
            return json.loads(self.page.body)
        except (ValueError, RecursionError):
            return None

    @cached_property
    def html(self) -> LexborHTMLParser:
        """The answer as HTML."""
        from selectolax.lexbor import LexborHTMLParser

        return LexborHTMLParser(self.text)

    def take(self, places: Mapping[str, From], *, strictly: bool) -> dict[str, Any]:
        """The values that are there, by name.

        Raises:
            ProviderError: `provider_changed` where a required one is missing and `strictly` is set.
        """
        taken = {name: self.find(place) for name, place in places.items()}
        for name, place in places.items():
            if strictly and place.required and taken[name] in (None, ""):
                raise ProviderError("config", Reason.PROVIDER_CHANGED, texts.NOT_UNDERSTOOD)
        return {name: value for name, value in taken.items() if value not in (None, "")}

    def find(self, place: From) -> Any:
        """The value at a place; None where nothing is."""
        if place.each is not None:
            return self._list(place, place.each)
        if place.body in ("image", "audio"):
            return self._medium(place)
        value = self._plain(place)
        if value is not None and place.image:
            return media.picture_of_address(value)
        if value is not None and place.pattern is not None:
            found = re.search(place.pattern, value[:LONGEST])
            value = (found.group(1) if found.re.groups else found.group(0)) if found else None
        return value if value is None else _whole(value.strip()[:LONGEST])

    def holds(self, row: Then) -> bool:
        """Whether every condition of a row holds."""
        status = (row.status,) if isinstance(row.status, int) else row.status
        if status is not None and self.page.status not in status:
            return False
        if row.contains is not None and row.contains not in self.text:
            return False
        if row.has is None:
            return True
        value = self.find(row.has)
        return value not in (None, "", []) if row.equals is None else str(value) == row.equals

    def row(self, table: Sequence[Then]) -> Then | None:
        """The first row that holds."""
        return next((row for row in table if self.holds(row)), None)

    def _plain(self, place: From) -> str | None:
        if place.header is not None:
            return self.page.headers.get(place.header)
        if place.cookie is not None:
            return self.page.cookies.get(place.cookie)
        if place.body == "text":
            return self.text
        if place.json_ is not None:
            return _said(self._pointed(place.json_, self.json))
        selector = place.css or f"input[name={json.dumps(place.field)}]"
        node = self.html.css_first(selector)
        if node is None:
            return None
        attribute = place.attribute or ("value" if place.field else None)
        return node.text(strip=True) if attribute is None else node.attributes.get(attribute)

    def _medium(self, place: From) -> dict[str, str] | None:
        if self.page.status >= 300:
            return None
        return media.picture(self.page.body) if place.body == "image" else media.sound(self.page.body)

    def _list(self, place: From, each: Each) -> list[dict[str, str]]:
        """Values with their words, to choose from."""
        if place.json_ is not None:
            items = self._pointed(place.json_, self.json)
            found = [
                (_said(self._pointed(each.value, item)), _said(self._pointed(each.label, item)))
                for item in (items if isinstance(items, list) else [])
            ]
        else:
            nodes = self.html.css(place.css or "")
            found = [(_of(node, each.value), _of(node, each.label)) for node in nodes]
        whole = [(_whole(value[:200]), _whole((label or value)[:200])) for value, label in found if value]
        return [{"value": value, "label": label} for value, label in whole[:MOST_CHOICES]]

    def _pointed(self, pointer: str, top: Any) -> Any:
        try:
            return JsonPointer(pointer).resolve(top, None)
        except (JsonPointerException, TypeError):
            return None


def _of(node: LexborNode, what: str) -> str | None:
    """The text of an element, an attribute of it, or of one below it: `input@value`."""
    below, _, attribute = what.rpartition("@")
    if below:
        found = node.css_first(below)
        return None if found is None else found.attributes.get(attribute)
    return node.text(strip=True) if what == "text" else node.attributes.get(what)


def _whole(text: str) -> str:
    """Without halves of characters, which JSON and headers may hold and nothing can be written down with."""
    return text.encode("utf-8", "replace").decode()


def _said(value: Any) -> str | None:
    """A JSON value as text; lists and objects are none."""
    if value is None or isinstance(value, list | dict):
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def as_bytes(medium: Mapping[str, str]) -> bytes:
    """The bytes of a taken picture or sound."""
    return base64.b64decode(medium["data"])
