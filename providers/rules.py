"""What is wrong with a manifest, in sentences: the schema's findings, and what no schema can say. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ValidationError

from providers import expressions
from providers.login.rules import requests, step_faults
from providers.templates import braces_match as _braces_match, placeholders as _placeholders
from schemas.fields import ChoiceSpec, FieldSpec, FieldType
from schemas.login import Ask, Confirm
from schemas.manifest import DriverSpec, ErrorRule, Lifetimes, Limits, Logo, Manifest
from schemas.reasons import Reason
from schemas.wording import wording

Fault: TypeAlias = tuple[tuple[int | str, ...], str]
"""Where (a path of members) and what, as a sentence."""

_MODELS: Final[tuple[type[BaseModel], ...]] = (
    Manifest, Ask, Confirm, FieldSpec, ChoiceSpec, DriverSpec, Limits, Lifetimes, ErrorRule, Logo,
)  # fmt: skip
_KNOWN: Final = sorted(
    {name for model in _MODELS for name in model.model_fields} | {"extends", "import", "export"}
)
_HOSTS: Final = ("url", "endpoint", "host")
"""Settings of drivers that say where secrets go."""
_LOGIN: Final = frozenset({"username", "password"})
"""What a driver does not need where the login brings a token."""
_LEAVES: Final = "/:@?#\\%"
"""What ends a host's name in an address, or hides what does."""


def schema_faults(invalid: ValidationError) -> list[Fault]:
    """The findings of the schema, without the input."""
    found = invalid.errors(include_input=False, include_url=False)
    places = [tuple(error["loc"]) for error in found]
    return [
        (place, _sentence(error))
        for place, error in zip(places, found, strict=True)
        # A list seems empty where nothing in it could be read: what is wrong inside says enough.
        if error["type"] != "too_short" or not any(other[: len(place)] == place != other for other in places)
    ]


def _sentence(error: Mapping[str, Any]) -> str:
    loc, context = error["loc"], error.get("ctx", {})
    name = next((part for part in reversed(loc) if isinstance(part, str)), "this")
    said = {
        "missing": "`{name}` is missing here.",
        "extra_forbidden": "`{name}` is not known here{guess}.",
        "literal_error": "`{name}` must be {expected}.",
        "too_short": "`{name}` needs at least {min_length}.",
        "too_long": "`{name}` has {actual_length}; it may have {max_length}{longer}.",
        "value_error": "{message}.",
        "login_step": "{message}.",
    }.get(error["type"], "`{name}` {message}.")
    close = difflib.get_close_matches(name, _KNOWN, 1)
    guess = f"; did you mean `{close[0]}`?" if close else ""
    longer = "; ask for longer lists with `choices_live: true`" if name == "choices" else ""
    message = wording(error)
    return said.format(name=name, guess=guess, longer=longer, message=message, **context).replace("?.", "?")


def faults(manifest: Manifest, folder: str) -> list[Fault]:
    """What the schema cannot see. `folder` is the name of the folder that it is in."""
    found: list[Fault] = []
    if manifest.id != folder:
        found.append((("id",), f"`id` is {manifest.id}, its folder is {folder}; they must be the same."))
    for name in ("website", "docs"):
        address = getattr(manifest, name)
        if address is not None and not re.fullmatch(r"https://[^\s/]+(/\S*)?", address):
            found.append(((name,), f"`{name}` must be an address that begins with https://."))
    if manifest.logo.source != "monogram" and not manifest.logo.terms:
        found.append((("logo",), "A logo of its owner needs `terms`: on what terms it may be shown."))
    for path, specs in _field_lists(manifest):
        for position, spec in enumerate(specs):
            found += [((*path, position, *below), message) for below, message in _field_faults(spec, specs)]
    found += _driver_faults(manifest)
    found += _offer_faults(manifest)
    found += _error_faults(manifest)
    found += step_faults(manifest)
    return found


def _field_lists(manifest: Manifest) -> Iterator[tuple[tuple[int | str, ...], Sequence[FieldSpec]]]:
    for position, step in enumerate(manifest.login):
        if isinstance(step, Ask):
            yield ("login", position, "fields"), step.fields
    yield ("options", "export"), manifest.options.export
    yield ("options", "import"), manifest.options.import_


def _field_faults(spec: FieldSpec, beside: Sequence[FieldSpec]) -> Iterator[Fault]:
    if spec.type is FieldType.OTHER:
        known = ", ".join(kind.value for kind in FieldType if kind is not FieldType.OTHER)
        yield ("type",), f"`type` of {spec.name} must be one of {known}."
    if spec.type is FieldType.PASSWORD and not spec.secret:
        yield ("type",), f"{spec.name} is a password; say `secret: true`."
    if spec.secret and spec.default is not None:
        yield ("default",), f"{spec.name} is secret; it has no default."
    values = spec.default if isinstance(spec.default, list) else [spec.default]
    if any(isinstance(value, list | dict) for value in values):
        yield ("default",), f"`default` of {spec.name} must be one plain value, or a list of them."
    if spec.pattern is not None and (wrong := expressions.fault(spec.pattern)):
        yield ("pattern",), f"`pattern` of {spec.name} {wrong}"
    if spec.min is not None and spec.max is not None and spec.min > spec.max:
        yield ("min",), f"`min` of {spec.name} is above its `max`."
    if spec.type in (FieldType.CHOICE, FieldType.CHOICES):
        yield from _choice_faults(spec)
    yield from _dependence_faults(spec, {other.name for other in beside})


def _dependence_faults(spec: FieldSpec, names: Collection[str]) -> Iterator[Fault]:
    for name in spec.depends_on:
        if name not in names:
            yield ("depends_on",), f"{spec.name} depends on {name}, which is no field beside it."
    for name in spec.shown_when or {}:
        if name not in spec.depends_on:
            yield ("shown_when",), f"`shown_when` of {spec.name} names {name}, which `depends_on` does not."


def _choice_faults(spec: FieldSpec) -> Iterator[Fault]:
    if not spec.choices and not spec.choices_live:
        yield ("type",), f"{spec.name} needs `choices`, or `choices_live: true`."
    values = [choice.value for choice in spec.choices or ()]
    if len(set(values)) < len(values):
        yield ("choices",), f"`choices` of {spec.name} has a value twice."
    if values and spec.type is FieldType.CHOICE and spec.default is not None and spec.default not in values:
        yield ("default",), f"`default` of {spec.name} is none of its choices."


def _offer_faults(manifest: Manifest) -> Iterator[Fault]:
    """Options whose choices the source tells, and what it tells them for."""
    if manifest.source is None:
        return
    live = {spec.name for spec in manifest.options.import_ if spec.choices_live}
    for name in manifest.source.choices.keys() - live:
        yield ("source", "choices", name), f"No option {name} of the import has `choices_live: true`."
    for position, spec in enumerate(manifest.options.import_):
        if spec.type is FieldType.CHOICE and spec.name in live - manifest.source.choices.keys():
            path = ("options", "import", position, "choices_live")
            yield path, f"Nothing tells what {spec.name} may be; say so in the source's `choices`."


def _driver_faults(manifest: Manifest) -> Iterator[Fault]:
    from providers.drivers import KINDS  # the drivers' frame is needed by no one else who reads manifests

    driver = manifest.driver
    credentials = {spec.name: spec for spec in manifest.credentials}
    texts: list[tuple[tuple[str, ...], object]] = [(("driver", "identity"), driver.identity)]
    texts += [(("driver", "settings", name), value) for name, value in driver.settings.items()]
    for path, value in texts:
        if not _braces_match(value):
            yield path, f"A brace in `{path[-1]}` has no other half; a brace that is meant is written twice."
        for name in _placeholders(value):
            if name in manifest.brought:
                continue
            if name not in credentials:
                yield path, f"`{path[-1]}` uses {{{name}}}, which no field of the login asks for."
            elif path[-1] == "identity" and credentials[name].secret:
                yield path, f"`identity` is shown to people; it cannot hold the secret {{{name}}}."
    if (kind := KINDS.get(driver.kind)) is None:
        yield (
            ("driver", "kind"),
            f"There is no driver {driver.kind} in this release; there is {', '.join(KINDS)}.",
        )
        return
    given = {*driver.settings, *credentials, *manifest.brought}
    spared = _LOGIN if "access_token" in manifest.brought else frozenset()
    for name in sorted(kind.needs - given - spared):
        yield ("driver",), f"The driver {driver.kind} needs `{name}`: ask for it at the login, or set it."
    for name in sorted(driver.settings.keys() - kind.needs - kind.takes):
        yield ("driver", "settings", name), f"The driver {driver.kind} has no setting `{name}`."
    hosts = [driver.settings.get(name, f"{{{name}}}") for name in _HOSTS]
    yield from _address_faults([*hosts, *(manifest.oauth.addresses if manifest.oauth else ())], manifest)
    yield from _address_faults([call.url for _, call in requests(manifest)], manifest)


def _address_faults(addresses: Iterable[object], manifest: Manifest) -> Iterator[Fault]:
    """Fields that say where secrets go are marked so, and those inside a host's name cannot leave it."""
    credentials = {spec.name: spec for spec in manifest.credentials}
    hosts = dict.fromkeys(str(address).split("://")[-1].split("/")[0] for address in addresses)
    for host in hosts:
        for spec in (credentials[name] for name in _placeholders(host) if name in credentials):
            if not spec.destination:
                yield ("login",), f"{spec.name} says where secrets go; give it `destination: true`."
            if host != f"{{{spec.name}}}" and not (spec.choices or _stays_inside(spec.pattern)):
                leaves = " ".join(_LEAVES)
                yield (
                    ("login",),
                    (
                        f"{spec.name} is part of a host's name; give it `choices`, or a `pattern` that allows"
                        f" no blank and none of {leaves}"
                    ),
                )


def _error_faults(manifest: Manifest) -> Iterator[Fault]:
    for position, rule in enumerate(manifest.errors):
        if rule.reason is Reason.OTHER:
            yield ("errors", position, "reason"), "`reason` is not one of the list in the contract."
        if rule.status in (401, 403) and rule.kind in ("item_permanent", "conflict"):
            yield (
                ("errors", position, "kind"),
                f"{rule.status} is about the account; it cannot be one document's.",
            )


def _stays_inside(pattern: str | None) -> bool:
    """Whether nothing that fits can end a host's name. A pattern that is wrong is told as such."""
    if pattern is None:
        return False
    return expressions.fault(pattern) is not None or not expressions.takes(pattern, f"{_LEAVES} ")
