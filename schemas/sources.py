"""How documents are fetched over a provider's JSON interface: lists, pages, details, files. Data, no code.

Texts hold `{name}`s: of the credentials, of options, and of `values` that were taken from an answer. Places
in answers are JSON pointers (RFC 6901).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field as Member, StringConstraints, model_validator

from schemas.base import Maybe, Model

Pointer = Annotated[str, StringConstraints(pattern=r"^(/([^~]|~0|~1)*)?$", max_length=200)]
"""Where in an answer something is; empty is the whole answer."""
Text = Annotated[str, StringConstraints(max_length=500)]
Texts = dict[str, Text]


class Call(Model):
    """One request. `path` follows `base`. `headers` come over those of the whole interface (`Accept`)."""

    method: Literal["GET", "POST"] = "GET"
    path: Text
    params: Texts = Member(default_factory=dict)
    headers: Texts = Member(default_factory=dict)
    json_: Maybe[dict[str, Any]] = Member(default=None, alias="json")
    """The body: texts in it are filled in, at any depth; all else stays what it is."""


class Paging(Model):
    """How one page leads to the next.

    `page` and `offset` count, in `param`; `token` puts what is at `next` into `param`; `last_id` the id of
    the last item; `link` follows the header `Link` (RFC 8288), `url` the address at `next`. A page that holds
    fewer than `size` items is the last of those that count; others end where there is no next, or `more` is
    false. Offsets count from 0, and each page begins with the last item of the one before.
    """

    by: Literal["page", "offset", "token", "last_id", "link", "url"]
    param: Maybe[Text] = None
    start: int = 1
    size: int = Member(default=100, ge=1, le=1000)
    size_param: Maybe[Text] = None
    call: Maybe[Call] = None
    """For all pages but the first, with `{next}` in it, where that is another request; instead of `param`."""
    next: Maybe[Pointer] = None
    more: Maybe[Pointer] = None

    @model_validator(mode="after")
    def _says_where(self) -> Paging:
        if self.by in ("page", "offset", "token", "last_id") and self.param is None and self.call is None:
            raise ValueError(f"paging by {self.by} needs `param`, or a `call`")
        if self.by in ("token", "url") and self.next is None:
            raise ValueError(f"paging by {self.by} needs `next`")
        return self


class Since(Model):
    """How a list is narrowed to what is newer. `overlap_hours` are asked for again, for late entries."""

    param: Text
    format: Literal["date", "datetime", "epoch"] = "datetime"
    overlap_hours: int = Member(default=48, ge=0, le=24 * 60)


class File(Model):
    """Where the bytes are.

    `direct`: the answer itself. `base64`: in the answer, at `at`. `link`: at an address that the answer gives
    at `at`; without our login where that is another host. `multipart`: the first part that is a file.
    `redirects`: the answer may lead to another address, once.
    """

    by: Literal["direct", "base64", "link", "multipart"] = "direct"
    call: Maybe[Call] = None
    """Unset for `link`: the address is in the item itself."""
    at: Maybe[Pointer] = None
    redirects: bool = False
    media_type: Maybe[Text] = None


class Types(Model):
    """Of which type a record is, where a list mixes them: by the word at `at`; what is not named has none."""

    at: Pointer
    of: Texts


class Listing(Model):
    """One kind of document of a provider."""

    call: Call
    items: Pointer = ""
    paging: Maybe[Paging] = None
    since: Maybe[Since] = None
    detail: Maybe[Call] = None
    """Asked for each item before its file, where the list does not say enough."""
    id: Pointer = "/id"
    prefix: Text = ""
    """Before the id, where several lists of a provider count alike."""
    version: tuple[Pointer, ...] = ()
    received_at: Maybe[Pointer] = None
    received_on: Maybe[Pointer] = None
    """Instead of `received_at`, where only a day is told: what bears the day that the connection counts from
    comes in, whatever the hour."""
    empty: Maybe[int] = Member(default=None, ge=400, le=499)
    """The status by which this list says that it holds nothing, or nothing more."""
    values: dict[str, Pointer] = Member(default_factory=dict)
    """What is taken from an item for later texts."""
    needs: tuple[Pointer, ...] = ()
    """An item without one of these has no file (a draft)."""
    only: dict[Pointer, Text] = Member(default_factory=dict)
    """Regular expressions that something in the item has to match; what does not is passed over."""
    name: Text = "{id}.pdf"
    document_type: Maybe[Text] = None
    document_types: Maybe[Types] = None
    """Instead of `document_type`, where a list mixes them."""
    metadata: dict[str, Pointer] = Member(default_factory=dict)
    """Terms of `schemas.documents.Metadata` that the provider says itself."""
    file: File


class Offer(Model):
    """What an option may be, as the provider tells it: the companies that a login reaches."""

    call: Call
    items: Pointer = ""
    value: Pointer = "/id"
    label: Pointer = "/name"


class RestSource(Model):
    """A provider's interface."""

    base: Text
    headers: Texts = Member(default_factory=dict)
    basic: Maybe[Text] = None
    """`user:password` for HTTP Basic."""
    check: Call
    identity: Maybe[Pointer] = None
    error: Maybe[Pointer] = None
    """An answer with status 200 that has something here is an error all the same."""
    reset: Maybe[Text] = None
    """The header that says, with status 429, in how many seconds (or when) there may be more calls."""
    choices: dict[str, Offer] = Member(default_factory=dict)
    """By the names of options: where what can be chosen for them is asked. What was chosen is filled in as
    the login's own values are, and comes before one of the same name."""
    lists: tuple[Listing, ...] = Member(min_length=1, max_length=20)
