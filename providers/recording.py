"""What passes between a login and its provider: shown and recorded without secrets, played again.

A recording holds the answers that were given and the provider's, with everything that was typed or taken
replaced by a name (`recorded-username`): it can be read by anybody, and a login goes through it as before.
What a browser brought back is such an answer too; ID tokens are signed anew (`recorded_tokens`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Unpack
from urllib.parse import quote, quote_plus, urlsplit

from multidict import CIMultiDict

from providers.errors import ProviderError
from providers.http import ANSWER_BYTES, Answer, Asked, Http
from providers.login.oauth.client import Client
from providers.login.outcomes import LoginState
from providers.reach import Reach
from providers.recorded_tokens import CLIENT_ID, Resigner, names_in
from schemas.reasons import Reason

SHORTEST = 4
"""Characters of what is replaced: less stands everywhere by chance."""
SHORTEST_COOKIE = 8
"""Shorter ones, such as `true`, open nothing."""
_PUBLIC = frozenset({"iss", "scope"})
"""Of what a browser brings back, what is the same for everybody and is compared as it is."""
KEPT_HEADERS = frozenset({"content-type", "location", "set-cookie", "retry-after", "etag"})


@dataclass(frozen=True, slots=True)
class Passed:
    """One request and its answer."""

    method: str
    url: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: str
    """Base64 of the answer."""


@dataclass(slots=True)
class Recording:
    """A login from the first answer to the end."""

    provider: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    """`fields` and `action` of each, in order."""
    passed: list[Passed] = field(default_factory=list)
    identity: str = ""
    at: str = ""
    """When it ended, RFC 3339 in UTC: by this clock its tokens are not over when it is played."""

    def text(self, names: Mapping[str, str]) -> str:
        """As it is written, with each of these secrets (by value) called by its name."""
        bodies = [base64.b64decode(one.body).decode("latin-1") for one in self.passed]
        names = {**_cookies_in(self.passed), **names_in(bodies), **names}
        tokens = Resigner()
        plain = asdict(self)
        for answer in plain["answers"]:  # also what is too short to be found elsewhere
            answer["fields"] = {name: _named(name, value) for name, value in answer["fields"].items()}
        for one, body in zip(plain["passed"], bodies, strict=True):
            one["body"] = tokens.body(_masked(body, names), names)
        return json.dumps(_everywhere(plain, names), ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def of(cls, text: str) -> Recording:
        """As it was written."""
        plain = json.loads(text)
        passed = [
            Passed(**{**one, "body": base64.b64encode(one["body"].encode("latin-1")).decode()})
            for one in plain.pop("passed")
        ]
        return cls(passed=passed, **plain)


def names_of(typed: Sequence[Mapping[str, Any]], state: LoginState) -> dict[str, str]:
    """What to call everything that was typed or taken, by its value. Addresses keep their form."""
    cookies = [one[1].partition(";")[0].partition("=")[2] for one in state.get("cookies", ())]
    tokens = state.get("tokens") or {}
    given = {name: tokens.get(name) for name in ("access_token", "refresh_token")}
    brought = (state.get("taken", {}), state.get("kept", {}), state["values"], given)
    came = [item for each in (*typed, *brought) for item in _single(each)]
    named: dict[str, str] = {}
    for name, value in (*came, *((f"cookie-{number}", one) for number, one in enumerate(cookies))):
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            parts = urlsplit(value)
            named[f"{parts.scheme}://{parts.netloc}"] = "https://recorded.example"
        elif isinstance(value, str | int) and len(str(value)) >= SHORTEST:
            named[str(value)] = f"recorded-{name}"
    return named


def _single(members: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each value with its name, also those within a value."""
    for name, value in members.items():
        if isinstance(value, Mapping):
            yield from (each for each in value.items() if each[0] not in _PUBLIC)
        else:
            yield name, value


def _cookies_in(passed: Sequence[Passed]) -> dict[str, str]:
    """What to call every cookie that came, also those that newer ones took the place of."""
    came = (value for one in passed for name, value in one.headers if name.lower() == "set-cookie")
    values = dict.fromkeys(value.partition(";")[0].partition("=")[2].strip('"') for value in came)
    return {
        value: f"recorded-cookie-{at}" for at, value in enumerate(values) if len(value) >= SHORTEST_COOKIE
    }


def _everywhere(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _masked(value, names)
    if isinstance(value, dict):
        return {name: _everywhere(below, names) for name, below in value.items()}
    return [_everywhere(below, names) for below in value] if isinstance(value, list | tuple) else value


def _masked(text: str, names: Mapping[str, str]) -> str:
    """The longest first: one may be part of another."""
    for value in sorted(names, key=len, reverse=True):
        for form in dict.fromkeys((value, quote(value, safe=""), quote_plus(value))):
            text = text.replace(form, names[value])
    return text


def _named(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {below: one if below in _PUBLIC else _named(below, one) for below, one in value.items()}
    address = isinstance(value, str) and value.startswith(("http://", "https://"))
    return value if address or isinstance(value, bool) else f"recorded-{name}"


Seen = Callable[[Passed], None]


class Tapped(Http):
    """HTTP that tells what passes. Downloads are told by their heads alone."""

    def __init__(self, reach: Reach, seen: Seen) -> None:
        super().__init__(reach.guard, reach.clock)
        self._seen = seen

    async def exchange(self, method: str, url: str, **asked: Unpack[Asked]) -> Answer:
        answer = await super().exchange(method, url, **asked)
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() in KEPT_HEADERS]
        body = base64.b64encode(answer.body).decode()
        self._seen(Passed(method, url, answer.status, kept, body))
        return answer


class RecordedClients:
    """The client of every recording, whoever it was registered for."""

    async def of(self, provider_id: str) -> Client | None:  # noqa: ARG002 - the promise of `Clients`
        return Client(CLIENT_ID, "recorded-client_secret")


class Replayed(Http):
    """HTTP that answers from a recording, in its order. It connects to nothing."""

    def __init__(self, reach: Reach, passed: Sequence[Passed]) -> None:
        super().__init__(reach.guard, reach.clock)
        self.left = list(passed)

    async def exchange(self, method: str, url: str, **asked: Unpack[Asked]) -> Answer:
        """The next answer.

        Raises:
            ProviderError: `provider_changed` where something else was recorded at this place.
        """
        told = self.left.pop(0) if self.left else None
        if told is None or (told.method, told.url) != (method, url):
            at = f"{told.method} {told.url}" if told else "the end"
            text = f"The recording has {at} where {method} {url} is asked now: record it anew."
            raise ProviderError("config", Reason.PROVIDER_CHANGED, text)
        return Answer(
            told.status,
            CIMultiDict(told.headers),
            base64.b64decode(told.body)[: asked.get("most", ANSWER_BYTES)],
        )
