"""What is wrong with the steps of a login, in sentences: names, places, addresses. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from jsonpointer import JsonPointer, JsonPointerException

from providers import expressions
from providers.templates import braces_match, placeholders
from schemas.calls import From, Request, Then
from schemas.fields import Words
from schemas.login import Ask, AskFor, Call, Choose, Device, Keep, LoginStep, Redirect, Wait
from schemas.manifest import Manifest

Path: TypeAlias = tuple[int | str, ...]
_SIGNING = frozenset({"method", "path", "body", "now", "nonce", "signature"})
_RENEWED_BY = (
    "`renew` names a `call` above; from it on to here all steps are calls, or ask for the code of an app "
    "whose secret (`totp`) may be stored."
)


def requests(manifest: Manifest) -> Iterator[tuple[Path, Request]]:
    """Every request of the login, with its place."""
    for number, step in enumerate(manifest.login):
        if isinstance(step, Call):
            yield ("login", number, "call"), step.call
        elif isinstance(step, Wait):
            yield ("login", number, "wait"), step.wait


def step_faults(manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """What the schema cannot see."""
    names = [step.name for step in manifest.login if step.name]
    first = manifest.login[0]
    if not isinstance(first, Ask | Redirect | Device) or isinstance(first, AskFor):
        yield ("login", 0), "A login begins with `ask: credentials`, `redirect` or `device`."
    for number, step in enumerate(manifest.login):
        at: Path = ("login", number)
        if step.name is not None and (step.name == "end" or names.count(step.name) > 1):
            yield (*at, "name"), f"The name {step.name} is taken; each step needs its own."
        for path, name in _leads(step):
            if name not in names and name != "end":
                yield (*at, *path), f"There is no step {name} to go on with; give one this `name`."
        if isinstance(step, AskFor):
            yield from (((*at, *path), text) for path, text in _proof_faults(step, manifest))
        if isinstance(step, Call | Wait):
            yield from (((*at, *path), text) for path, text in _reading_faults(step))
    yield from _text_faults(manifest)
    yield from _renewal_faults(manifest)
    yield from _told_faults(manifest)
    for path, request in requests(manifest):
        yield from (((*path, *below), text) for below, text in _address_faults(request, manifest))


def _leads(step: LoginStep) -> Iterator[tuple[Path, str]]:
    """Every name of a step that this one names."""
    if isinstance(step, AskFor) and step.resend is not None:
        yield ("resend",), step.resend
    if isinstance(step, Call | Wait):
        for number, row in enumerate(step.then):
            if row.go is not None:
                yield ("then", number, "go"), row.go


def _proof_faults(step: AskFor, manifest: Manifest) -> Iterator[tuple[Path, str]]:
    taken = _taken(manifest)
    for member in ("image", "audio"):
        name = getattr(step, member)
        if name is not None and name not in taken:
            yield (member,), f"`{member}` is {name}, which no step takes from an answer."
    if step.totp is not None and step.totp not in {spec.name for spec in step.fields if spec.secret}:
        yield ("totp",), f"`totp` is {step.totp}, which is no secret field of this step."


def _reading_faults(step: Call | Wait) -> Iterator[tuple[Path, str]]:
    for name, place in step.take.items():
        yield from ((("take", name, *path), text) for path, text in _place_faults(place))
    for number, row in enumerate(step.then):
        at: Path = ("then", number)
        if row.has is not None:
            yield from (((*at, "has", *path), text) for path, text in _place_faults(row.has))
        if row.still and not isinstance(step, Wait):
            yield (*at, "still"), "`still` is for a step that waits."
        yield from (((*at, *path), text) for path, text in _row_faults(row))


def _row_faults(row: Then) -> Iterator[tuple[Path, str]]:
    if row.error is not None and row.error.value == "other":
        yield ("error",), "`error` is not one of the reasons in the contract."


def _place_faults(place: From) -> Iterator[tuple[Path, str]]:
    if place.pattern is not None and (wrong := expressions.fault(place.pattern)):
        yield ("pattern",), f"`pattern` {wrong}"
    if place.json_ is not None:
        try:
            JsonPointer(place.json_)
        except JsonPointerException:
            yield ("json",), "`json` is no JSON pointer: it begins with a slash, such as /user/id."
    if place.css is not None and not _selects(place.css):
        yield ("css",), "`css` is no CSS selector."


def _selects(selector: str) -> bool:
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # who checks no manifest parses no page

    try:
        LexborHTMLParser("<p></p>").css_first(selector)
    except SelectolaxError:
        return False
    return True


def _taken(manifest: Manifest) -> set[str]:
    return {name for step in manifest.login if isinstance(step, Call | Wait) for name in step.take}


def _text_faults(manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """Every `{name}` of a request or of `keep` is typed or taken somewhere."""
    known = {spec.name for spec in manifest.credentials} | _taken(manifest) | manifest.brought
    for number, step in enumerate(manifest.login):
        at: Path = ("login", number)
        for path, text in _texts(step):
            if not braces_match(text):
                yield (*at, *path), "A brace has no other half; a brace that is meant is written twice."
            for name in placeholders(text):
                if name not in known and not ("call" in path and name in _SIGNING):
                    yield (*at, *path), f"{{{name}}} is neither asked for nor taken from an answer."
        if isinstance(step, Choose) and step.choose not in _taken(manifest):
            yield (*at, "choose"), f"`choose` is {step.choose}, which no step takes from an answer."


def _renewal_faults(manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """A token is renewed by calls, filled from what is stored and from what they take themselves.

    Between them an app's code may be asked for, whose secret can be stored: it asks nobody.
    """
    named = {step.name: number for number, step in enumerate(manifest.login)}
    known = {spec.name for spec in manifest.credentials if spec.stored}
    for number, step in enumerate(manifest.login):
        if not isinstance(step, Keep) or step.token is None:
            continue
        at: Path = ("login", number, "token")
        first = named.get(step.token.renew, number)
        again = manifest.login[first:number]
        if not again or not isinstance(again[0], Call) or not all(_asks_nobody(one, known) for one in again):
            yield (*at, "renew"), _RENEWED_BY
            continue
        for one in again:
            asked = {name for _, text in _texts(one) for name in placeholders(text)}
            for name in sorted(asked - known - _SIGNING):
                yield (*at, "renew"), f"{{{name}}} is not stored, so no token can be had with it later."
            known |= set(one.take) if isinstance(one, Call) else _asked(one)
        told = [*placeholders(step.token.access), *placeholders(step.token.seconds or "")]
        for name in sorted(set(told) - known):
            yield at, f"{{{name}}} is not taken between `renew` and here."


def _asks_nobody(step: LoginStep, stored: set[str]) -> bool:
    app = step.totp if isinstance(step, AskFor) and step.ask == "code_offline" else None
    return isinstance(step, Call) or app in stored


def _asked(step: LoginStep) -> set[str]:
    return {spec.name for spec in step.fields} if isinstance(step, AskFor) else set()


def _secrets(manifest: Manifest) -> set[str]:
    return {"access_token", *(spec.name for spec in manifest.credentials if spec.secret)}


def _told_faults(manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """Events, pages and logs hold what is said and whose account it is: no secret stands there."""
    secrets = _secrets(manifest)
    told: list[tuple[Path, str]] = [
        (("login", number, *path), text)
        for number, step in enumerate(manifest.login)
        for path, text in _told(step)
    ]
    if manifest.driver.identity is not None:
        told.append((("driver", "identity"), manifest.driver.identity))
    for path, text in told:
        for name in placeholders(text):
            if name in secrets:
                yield path, f"The secret {{{name}}} stands in a text that is shown."


def _told(step: LoginStep) -> Iterator[tuple[Path, str]]:
    """Every text of a step that is shown, in each language."""
    said: list[tuple[Path, Any]] = [(("title",), step.title), (("message",), step.message)]
    if isinstance(step, AskFor) and step.medium is not None:
        said.append((("medium", "label"), step.medium.label))
    if isinstance(step, Keep):
        said.append((("identity",), step.identity))
    if isinstance(step, Wait):
        said.append((("show",), step.show))
    if isinstance(step, Call | Wait):
        said += [(("then", number, "message"), row.message) for number, row in enumerate(step.then)]
    for path, text in said:
        told = text.model_dump() if isinstance(text, Words) else text
        yield from (((*path, *below), one) for below, one in _strings(told))


def _texts(step: LoginStep) -> Iterator[tuple[Path, str]]:
    if isinstance(step, Call | Wait):
        request = step.call if isinstance(step, Call) else step.wait
        where = "call" if isinstance(step, Call) else "wait"
        yield from (((where, *path), text) for path, text in _strings(request.wire()))
        if isinstance(step, Wait) and step.show is not None:
            yield ("show",), step.show
    elif isinstance(step, Keep):
        yield from ((("keep", name), text) for name, text in step.keep.items())
        yield from ((("identity",), text) for text in [step.identity] if text is not None)


def _strings(value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield (), value
    elif isinstance(value, dict):
        for name, below in value.items():
            yield from (((name, *path), text) for path, text in _strings(below))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from (((number, *path), text) for path, text in _strings(below))


def _address_faults(request: Request, manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """Requests go to named hosts, and no secret stands in an address: servers write those down."""
    secrets = _secrets(manifest)
    host = request.url.partition("://")[2].partition("/")[0] if "://" in request.url else request.url
    asked = {spec.name for spec in manifest.credentials}
    if not request.url.startswith(("https://", "{")):
        yield ("url",), "`url` begins with https://, or with a field that the login asks for."
    for name in placeholders(host.partition("/")[0]):
        if name not in asked:
            yield ("url",), f"{{{name}}} stands in a host's name; only a field of the login may."
    for path, text in [
        (("url",), request.url),
        *((("query", key), one) for key, one in request.query.items()),
    ]:
        for name in placeholders(text):
            if name in secrets:
                yield (
                    path,
                    f"The secret {{{name}}} stands in an address: servers write those down.",
                )
