"""Asking a provider's JSON interface: addresses, headers, bodies, and which answers are errors. What is asked
for, and what becomes of it, is decided elsewhere.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from providers.drivers.reading import unreadable
from providers.drivers.restanswers import at
from providers.errors import ProviderError
from providers.http import Answer
from providers.reach import Reach
from providers.templates import fill
from providers.words import words
from schemas.manifest import Manifest
from schemas.reasons import Reason
from schemas.sources import Call, RestSource

ANSWER_BYTES = 32 * 1024 * 1024
"""Of one list or detail."""
ERROR_BYTES = 4096
CONFLICT = 409


class Interface:
    """One account's interface. `base` is its address without a last `/`, `headers` hold our login.

    Args:
        manifest: its errors and its name.
        source: its `source`.
        settings: what the credentials fill in.
        options: what the connection's options fill in, where they say something.
        reach: the guarded way out.
    """

    def __init__(
        self,
        manifest: Manifest,
        source: RestSource,
        settings: Mapping[str, Any],
        options: Mapping[str, Any],
        reach: Reach,
    ) -> None:
        self._manifest = manifest
        self._source = source
        self._settings = {**settings, **{name: value for name, value in options.items() if value}}
        self._http = reach.http
        self.base = fill(source.base, settings, is_address=True).rstrip("/")
        self.headers = {
            name: fill(text, self._settings, is_address=False) for name, text in source.headers.items()
        }
        if source.basic is not None:
            pair = fill(source.basic, settings, is_address=False)
            self.headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"

    async def asked(
        self, call: Call, params: Mapping[str, str], values: Mapping[str, Any] | None = None
    ) -> Any:
        """What the answer to a call says; see `said`."""
        return self.said(await self.send(call, params, values))

    async def send(
        self,
        call: Call,
        params: Mapping[str, str],
        values: Mapping[str, Any] | None = None,
        most: int = ANSWER_BYTES,
    ) -> Answer:
        """The answer to a call, its texts filled from the settings and over them `values`.

        Raises:
            ProviderError: whatever asking meets; `rate_limited` as the provider's header says.
        """
        known = {**self._settings, **(values or {})}
        body = None
        said = {name: fill(text, known, is_address=False) for name, text in call.headers.items()}
        headers = {"Accept": "application/json", **self.headers, **said}
        if call.json_ is not None:
            body = json.dumps(filled(call.json_, known)).encode()
            headers["Content-Type"] = "application/json"
        elif call.method == "POST":
            body = b""
        url = self.url(call, known, params)
        answer = await self._http.exchange(call.method, url, headers=headers, content=body, most=most)
        return self._counted(answer)

    async def get(self, url: str) -> Answer:
        """The answer at a whole address, which is `own`."""
        headers = {"Accept": "application/json", **self.headers}
        return self._counted(await self._http.exchange("GET", url, headers=headers, most=ANSWER_BYTES))

    def _counted(self, answer: Answer) -> Answer:
        """An answer; one that says that there are too many calls waits for as long as its header says."""
        reset = self._source.reset
        if answer.status == 429 and reset and "Retry-After" not in answer.headers:
            wait = answer.headers.get(reset, "")
            seconds = float(wait) if wait.replace(".", "", 1).isdigit() else None
            if seconds is not None and seconds > 1_000_000_000:  # a moment, not a span
                seconds -= self._http.clock().timestamp()
            raise ProviderError(
                "rate_limited",
                Reason.RATE_LIMITED,
                words("pause"),
                retry_after=None if seconds is None else max(0.0, seconds),
            )
        return answer

    def said(self, answer: Answer) -> Any:
        """What an answer says.

        Raises:
            ProviderError: its status is an error's, it is no JSON, or it tells of an error all the same.
        """
        if answer.status >= 300:
            raise answer.error(self._manifest.errors, self._http.clock())
        try:
            said = json.loads(answer.body or b"null")
        except (ValueError, RecursionError):
            raise ProviderError(
                "transient", Reason.PROVIDER_DOWN, words("trouble", status=answer.status)
            ) from None
        if self._source.error is not None and at(said, self._source.error):
            raise ProviderError("transient", Reason.PROVIDER_DOWN, words("trouble", status=answer.status))
        return said

    async def asked_of_item(self, call: Call, values: Mapping[str, Any]) -> Any:
        """What the answer to a call for one record or its file says; see `said` and `of_item`."""
        answer = await self.send(call, {}, values)
        if answer.status >= 300:
            raise self.of_item(answer)
        return self.said(answer)

    def of_item(self, answer: Answer) -> ProviderError:
        """An answer to a request for one file: what is not there or not ours to read is its own trouble."""
        error = self._counted(answer).error(self._manifest.errors, self._http.clock())
        if answer.status == CONFLICT and error.kind == "config":  # by default it speaks of a folder
            return ProviderError("item_permanent", Reason.DOCUMENT_REFUSED, words("refused"))
        return unreadable(error)

    def url(self, call: Call, values: Mapping[str, Any], params: Mapping[str, str]) -> str:
        """A call's address: what is filled in stays in its place, and what is empty is left out."""
        known = {**self._settings, **values}
        path = "/".join(
            part if "{" not in part else quote(fill(part, known, is_address=False), safe="")
            for part in call.path.lstrip("/").split("/")
        )
        asked = {name: fill(text, known, is_address=False) for name, text in call.params.items()}
        query = urlencode({name: text for name, text in {**asked, **params}.items() if text != ""})
        return f"{self.base}/{path}" + (f"?{query}" if query else "")

    def own(self, url: str) -> str:
        """An address that an answer gave for a next page: on the provider's own host, or refused."""
        whole = urljoin(self.base + "/", url)
        if not self.is_own(whole):
            raise ProviderError("config", Reason.ADDRESS_REFUSED, words("elsewhere"))
        return whole

    def is_own(self, url: str) -> bool:
        """Whether an address is on the provider's own host, where our login may go."""
        ours, theirs = urlsplit(self.base), urlsplit(url)
        return (ours.scheme, ours.netloc.lower()) == (theirs.scheme, theirs.netloc.lower())


async def begun(head: Answer, chunks: AsyncIterator[bytes]) -> Answer:
    """An answer that is no file, with as much of its body as tells one error from another."""
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) >= ERROR_BYTES:
            break
    return Answer(head.status, head.headers, body[:ERROR_BYTES])


def filled(body: Any, values: Mapping[str, Any]) -> Any:
    """A body with its texts filled in; all else stays what it is, as a `{next}` that is a number."""
    if body == "{next}":
        return values.get("next", "")
    if isinstance(body, str):
        return fill(body, values, is_address=False)
    if isinstance(body, Mapping):
        return {name: filled(each, values) for name, each in body.items()}
    if isinstance(body, list | tuple):
        return [filled(each, values) for each in body]
    return body
