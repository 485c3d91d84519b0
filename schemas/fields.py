"""Fields: what a customer fills in, at a login or as an option, and the texts around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field as Member, StringConstraints

from schemas.base import Lenient, Maybe, Model, Text

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""A field's name: lower-case words joined by underscores."""


class FieldType(Lenient):
    """How a field is shown and what it takes."""

    TEXT = "text"
    PASSWORD = "password"  # noqa: S105 - a word of the list, no password
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    CODE = "code"
    CHOICE = "choice"
    CHOICES = "choices"
    FOLDER = "folder"
    PATTERN = "pattern"
    URL = "url"
    OTHER = "other"


class Choice(Model):
    """One value to choose, with the words shown for it."""

    value: str
    label: str


def _says(value: object, wanted: tuple[str, ...] | None) -> bool:
    """Whether something is filled in: one of `wanted`, where that is given."""
    said = {str(each) for each in (value if isinstance(value, list | tuple) else [value])}
    if isinstance(value, bool):
        said = {str(value).lower()}
    return bool(said & set(wanted)) if wanted is not None else value not in (None, "", [], (), False)


class Rules(Model):
    """What holds of a field in every language.

    `secret` values are never shown again; `stored` ones are kept for later runs; `destination` names where
    secrets go, so that changing it asks for all secrets again. `choices_live` are asked over HTTP.
    `depends_on` and `shown_when`: see `applies`.
    """

    name: Name
    type: FieldType = FieldType.TEXT
    required: bool = False
    secret: bool = False
    stored: bool = True
    destination: bool = False
    pattern: Maybe[str] = None
    min: Maybe[float] = None
    max: Maybe[float] = None
    choices_live: bool = False
    depends_on: tuple[Name, ...] = ()
    shown_when: Maybe[dict[Name, tuple[str, ...]]] = None

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether the field counts beside these values; where it does not, it is neither shown nor read.

        Each field of `depends_on` must have a value: one of those in `shown_when`, where that names it.
        """
        return all(_says(values.get(name), (self.shown_when or {}).get(name)) for name in self.depends_on)


class Field(Rules):
    """One field as it is shown to a customer, in their language (CONTRACT §5)."""

    label: str
    help: Maybe[str] = None
    placeholder: Maybe[str] = None
    pattern_message: Maybe[str] = None
    default: Maybe[Any] = None
    read_only: bool = False
    choices: Maybe[tuple[Choice, ...]] = Member(default=None, max_length=50)


class Fact(Model):
    """Something to look at before confirming, such as a host's fingerprint."""

    label: str
    value: str


class FieldError(Model):
    """What is wrong with one field, in words."""

    field: str
    code: str
    message: Text


def _each_language(value: object) -> object:
    """A plain string is English, and stands in for the others."""
    return {"en": value} if isinstance(value, str) else value


class Words(Model):
    """One text in the languages that we speak; English stands in where another is missing."""

    en: Text
    fr: Maybe[Text] = None
    de: Maybe[Text] = None

    def said(self, locale: str | None) -> str:
        """The text in `locale` (`de`, `de-AT`), else in English."""
        spoken: Mapping[str, str | None] = {"fr": self.fr, "de": self.de}
        return spoken.get((locale or "en").lower()[:2]) or self.en


Said = Annotated[Words, BeforeValidator(_each_language)]
"""`Words`, or a plain string in their place."""


class ChoiceSpec(Model):
    """One value to choose, with its words in three languages."""

    value: str
    label: Said


class FieldSpec(Rules):
    """A field as its author writes it: as `schemas.fields.Field`, with texts in three languages."""

    label: Said
    help: Maybe[Said] = None
    placeholder: Maybe[Said] = None
    pattern_message: Maybe[Said] = None
    default: Maybe[Any] = None
    choices: Maybe[tuple[ChoiceSpec, ...]] = Member(default=None, max_length=50)

    def shown(self, locale: str | None, *, default: Any = None, read_only: bool = False) -> Field:
        """As it is shown in `locale`; `default` stands in for the author's where one is given."""
        words = {
            name: said.said(locale)
            for name in ("label", "help", "placeholder", "pattern_message")
            if (said := getattr(self, name)) is not None
        }
        plain = self.model_dump(include=set(Rules.model_fields))
        choices = None
        if self.choices is not None:
            choices = tuple(Choice(value=c.value, label=c.label.said(locale)) for c in self.choices)
        shown = self.default if default is None else default
        return Field(**plain, **words, choices=choices, default=shown, read_only=read_only)
