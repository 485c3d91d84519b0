"""What was filled in, held against its fields: texts become values, faults are said in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from connections.lifecycle.words import said
from kit.endings import Refused
from schemas.fields import Field, FieldError, FieldType
from schemas.patterns import WrongPattern, parse_filename, parse_folder
from schemas.reasons import Reason

LONGEST = 20_000
"""Characters of one value: a private key fits."""
LONGEST_OF_PATTERN = 500
"""Characters of a value that is held against a pattern: a long text can keep a pattern busy for minutes."""
_CODE = re.compile(r"[\s-]+")


class _Wrong(ValueError):
    """A value that breaks its field's rules; `args` are the text's key and what fills it."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def checked(fields: Sequence[Field], given: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """The values by field name, defaults filled in; empty ones, and those that do not apply, left out.

    Raises:
        Refused: `invalid`, with what is wrong by field, in `locale`; nothing of the values is in it.
    """
    known = {field.name: field for field in fields}
    errors = [_error(name, None, _Wrong("field_unknown"), locale) for name in given if name not in known]
    values: dict[str, Any] = {}
    filled = {field.name: _raw(field, given) for field in fields}
    for field in fields:
        if not field.applies(filled):
            continue
        try:
            value = _value(field, filled[field.name])
        except _Wrong as wrong:
            errors.append(_error(field.name, field, wrong, locale))
        else:
            if value is not None:
                values[field.name] = value
    if errors:
        raise Refused(Reason.INVALID, said("fields_invalid", locale), tuple(errors[:20]))
    return values


def _raw(field: Field, given: Mapping[str, Any]) -> Any:
    return field.default if field.read_only or field.name not in given else given[field.name]


def _error(name: str, field: Field | None, wrong: _Wrong, locale: str) -> FieldError:
    told = field.pattern_message if field and wrong.code == "field_pattern" else None
    code = wrong.code.removeprefix("field_")
    return FieldError(field=name[:64], code=code, message=told or said(wrong.code, locale, **wrong.values))


def _value(field: Field, raw: Any) -> Any:
    """The value of one field, or None where nothing was filled in."""
    if raw is None or raw in ("", []):
        if field.required:
            raise _Wrong("field_missing")
        return None
    value = _READ.get(field.type, _text)(field, raw)
    if field.pattern and isinstance(value, str):
        if len(value) > LONGEST_OF_PATTERN:
            raise _Wrong("field_long", most=LONGEST_OF_PATTERN)
        if not re.fullmatch(field.pattern, value):
            raise _Wrong("field_pattern")
    return value


def _text(field: Field, raw: Any) -> str:
    if not isinstance(raw, str):
        raise _Wrong("field_text")
    if len(raw) > LONGEST:
        raise _Wrong("field_long", most=LONGEST)
    if "\x00" in raw:
        raise _Wrong("field_text")
    text = raw if field.secret or field.type is FieldType.PASSWORD else raw.strip()
    if field.required and not text:
        raise _Wrong("field_missing")
    return text


def _number(field: Field, raw: Any) -> int | float:
    try:
        number = float(raw) if not isinstance(raw, bool) else None
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or not isfinite(number):
        raise _Wrong("field_number")
    if (field.min is not None and number < field.min) or (field.max is not None and number > field.max):
        raise _Wrong("field_range", least=_shown(field.min), most=_shown(field.max))
    return number


def _integer(field: Field, raw: Any) -> int:
    number = _number(field, raw)
    if number != int(number):
        raise _Wrong("field_number")
    return int(number)


def _boolean(field: Field, raw: Any) -> bool:
    words = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
    value = raw if isinstance(raw, bool) else words.get(str(raw).lower())
    if value is None or (field.required and not value):
        raise _Wrong("field_missing" if value is False else "field_boolean")
    return value


def _date(_: Field, raw: Any) -> str:
    try:
        return date.fromisoformat(str(raw)).isoformat()
    except ValueError:
        raise _Wrong("field_date") from None


def _url(field: Field, raw: Any) -> str:
    text = _text(field, raw)
    try:
        parts = urlsplit(text)
        port_and_name = parts.port, parts.hostname
    except ValueError:
        raise _Wrong("field_url") from None
    if parts.scheme not in ("http", "https") or not port_and_name[1]:
        raise _Wrong("field_url")
    if parts.username or parts.password or parts.fragment:
        raise _Wrong("field_url_plain")
    return text


def _code(field: Field, raw: Any) -> str:
    return _CODE.sub("", _text(field, str(raw)))


def _choice(field: Field, raw: Any) -> str:
    text = _text(field, raw)
    if field.choices is not None and not field.choices_live and text not in {c.value for c in field.choices}:
        raise _Wrong("field_choice")
    return text


def _choices(field: Field, raw: Any) -> list[str]:
    several = raw if isinstance(raw, list | tuple) else [raw]
    return [_choice(field, one) for one in several]


def _folder(field: Field, raw: Any) -> str:
    text = _text(field, raw)
    _readable(parse_folder, text)
    return text if text.startswith("/") else f"/{text}"


def _pattern(field: Field, raw: Any) -> str:
    text = _text(field, raw)
    _readable(parse_filename, text)
    return text


def _readable(parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except WrongPattern as wrong:
        raise _Wrong(f"field_{wrong.code}", **wrong.values) from None


def _shown(number: float | None) -> str:
    return "…" if number is None else f"{number:g}"


_READ = {
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.URL: _url,
    FieldType.CODE: _code,
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choices,
    FieldType.FOLDER: _folder,
    FieldType.PATTERN: _pattern,
}
