"""Fields in forms: how each is shown, and what a form's text becomes. Whether it is right others decide.

The names in a form are the fields' own; names of ours begin with `_`, which no field's name does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field as member
from typing import Any

from schemas.fields import Choice, Field, FieldError, FieldType

LONGEST_VALUE = 40_000
"""Characters of one value; a private key is a few thousand."""
_INPUTS = {
    FieldType.PASSWORD: "password",
    FieldType.NUMBER: "text",
    FieldType.INTEGER: "text",
    FieldType.DATE: "date",
    FieldType.URL: "url",
}
_KEYBOARDS = {
    FieldType.NUMBER: "decimal",
    FieldType.INTEGER: "numeric",
    FieldType.CODE: "numeric",
    FieldType.URL: "url",
}
_AUTOCOMPLETE = {"username": "username", "email": "email", "password": "current-password"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as a page shows it. A secret's value is never in it."""

    field: Field
    value: Any = member(repr=False)
    error: str | None = None
    unfit: bool = False
    """It goes with a value of another field that is not chosen: scripts show it beside that alone."""

    @property
    def id(self) -> str:
        return f"field-{self.field.name}"

    @property
    def control(self) -> str:
        """Which control shows it: `checkbox`, `radios`, `checkboxes`, `select`, `textarea` or `input`."""
        match self.field.type:
            case FieldType.BOOLEAN:
                return "checkbox"
            case FieldType.CHOICES:
                return "checkboxes"
            case FieldType.CHOICE if not self.live:
                return "radios" if len(self.field.choices or ()) <= 3 else "select"
            case FieldType.TEXT if self.field.secret:
                return "textarea"  # a private key has lines, which a password box would swallow
            case _:
                return "input"

    @property
    def live(self) -> str | None:
        """What is asked for over HTTP as one chooses: `folder` or `choice`; None where nothing is."""
        if not self.field.choices_live:
            return None
        return "folder" if self.field.type is FieldType.FOLDER else "choice"

    @property
    def depends(self) -> str | None:
        """JSON: the fields that it goes with, each with the values that it is shown for; null is any."""
        if not self.field.depends_on:
            return None
        values = self.field.shown_when or {}
        return json.dumps({name: values.get(name) for name in self.field.depends_on})

    @property
    def input_type(self) -> str:
        return _INPUTS.get(self.field.type, "text")

    @property
    def keyboard(self) -> str | None:
        return _KEYBOARDS.get(self.field.type)

    @property
    def autocomplete(self) -> str:
        if self.field.type is FieldType.CODE:
            return "one-time-code"
        return _AUTOCOMPLETE.get(self.field.name, "off")

    @property
    def choices(self) -> Sequence[Choice]:
        return self.field.choices or ()

    @property
    def described_by(self) -> str | None:
        """The ids of what a screen reader says with it."""
        ids = [f"{self.id}-help"] if self.field.help else []
        ids += [f"{self.id}-error"] if self.error else []
        return " ".join(ids) or None

    def chosen(self, value: str) -> bool:
        """Whether the choice `value` is taken."""
        return value in self.value if isinstance(self.value, list | tuple) else value == self.value


def shown(
    fields: Iterable[Field], values: Mapping[str, Any], errors: Sequence[FieldError] = ()
) -> list[Shown]:
    """The fields of a form, filled with `values` or their defaults, each with its error."""
    fields = list(fields)
    wrong = {error.field: error.message for error in reversed(errors)}
    chosen = {field.name: values.get(field.name, field.default) for field in fields}
    return [
        Shown(
            field=field,
            value=None if field.secret else chosen[field.name],
            error=wrong.get(field.name),
            unfit=not field.applies(chosen),
        )
        for field in fields
    ]


def read(fields: Iterable[Field], form: Mapping[str, Sequence[str]]) -> dict[str, str | bool | list[str]]:
    """What a form says, by field name: text as it was typed, a box as a boolean, several choices as a list.

    What is empty, read-only, or of no field is left out. Lines end with a line feed, as files' do.
    """
    values: dict[str, str | bool | list[str]] = {}
    for field in fields:
        texts = [text[:LONGEST_VALUE].replace("\r\n", "\n") for text in form.get(field.name, ()) if text]
        if field.read_only:
            continue
        if field.type is FieldType.BOOLEAN:
            values[field.name] = bool(texts)
        elif field.type is FieldType.CHOICES:
            values[field.name] = texts
        elif texts:
            values[field.name] = texts[-1]
    return values
