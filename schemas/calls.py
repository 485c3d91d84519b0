"""Requests of a login and what is read from their answers, as a manifest writes them: data alone, no code.

Texts hold `{name}` of what was typed or taken before; nothing else in them is ever evaluated.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field as Member, StringConstraints, model_validator

from schemas.base import Maybe, Model
from schemas.fields import Name, Said
from schemas.reasons import Reason

Template = Annotated[str, StringConstraints(max_length=4000)]
"""A text with `{name}`s; a brace that is meant is written twice."""
Texts = Annotated[dict[str, Template], Member(max_length=50)]


class Basic(Model):
    """Basic authentication (RFC 7617)."""

    username: Template
    password: Template


class Hmac(Model):
    """A signature over parts of the request, by a shared secret (RFC 2104).

    `over` may hold `{method}`, `{path}` (with the query), `{body}`, `{now}` (Unix seconds) and `{nonce}`
    besides what was typed or taken; headers may hold `{now}`, `{nonce}` and `{signature}` then.
    """

    hash: Literal["sha256", "sha512", "sha1"] = "sha256"
    key: Template
    over: Template
    encoding: Literal["hex", "base64"] = "hex"


class AwsV4(Model):
    """A signature by AWS Signature Version 4, as AWS and services like it ask for."""

    access_key_id: Template
    secret_access_key: Template
    region: Template
    service: Template
    """As the service calls itself in signatures, such as `sts`."""
    session_token: Maybe[Template] = None
    """What comes with a key that was given for a while; signed too."""


class Request(Model):
    """One request. Cookies come and go by themselves; redirects are followed within the same origin alone."""

    method: Literal["GET", "POST", "PUT"] = "GET"
    url: Template
    query: Texts = Member(default_factory=dict)
    headers: Texts = Member(default_factory=dict)
    form: Maybe[Texts] = None
    json_: Maybe[dict[str, Any]] = Member(default=None, alias="json")
    basic: Maybe[Basic] = None
    hmac: Maybe[Hmac] = None
    aws_v4: Maybe[AwsV4] = None
    follow: int = Member(default=0, ge=0, le=5)
    """Redirects to follow; each is a GET."""

    @model_validator(mode="after")
    def _has_one_body(self) -> Request:
        if self.form is not None and self.json_ is not None:
            raise ValueError("a request has a `form` or a `json` body, never both")
        if self.method == "GET" and (self.form is not None or self.json_ is not None):
            raise ValueError("a GET has no body; say `method: POST`, or use `query`")
        if self.aws_v4 is not None and (self.basic is not None or self.follow):
            raise ValueError("`aws_v4` signs one request: it goes with neither `basic` nor `follow`")
        return self


class Each(Model):
    """Where each choice of a list has its value and its words.

    JSON pointers from the item on; or an attribute of the element (`value`), of one below it (`input@value`),
    or what the element says (`text`).
    """

    value: str
    label: str


class From(Model):
    """Where a value stands in an answer: exactly one of the places, then what is done with it."""

    json_: Maybe[str] = Member(default=None, alias="json")
    """A JSON pointer (RFC 6901)."""
    header: Maybe[str] = None
    cookie: Maybe[str] = None
    field: Maybe[str] = None
    """The value of a form's field, by its name."""
    css: Maybe[str] = None
    """A CSS selector; its first element's text, or its `attribute`."""
    body: Maybe[Literal["image", "audio", "text"]] = None
    """The whole answer."""
    attribute: Maybe[str] = None
    pattern: Maybe[str] = None
    """A regular expression; the value is its first group."""
    each: Maybe[Each] = None
    """The place is a list to choose from."""
    image: bool = False
    """The value is a picture in a `data:` address."""
    required: bool = True

    @model_validator(mode="after")
    def _is_in_one_place(self) -> From:
        places = ("json_", "header", "cookie", "field", "css", "body")
        if sum(getattr(self, place) is not None for place in places) != 1:
            raise ValueError("a value is in one of `json`, `header`, `cookie`, `field`, `css` and `body`")
        if self.attribute is not None and self.css is None:
            raise ValueError("`attribute` goes with `css`")
        if self.each is not None and self.css is None and self.json_ is None:
            raise ValueError("`each` goes with `json` or `css`")
        return self


class Then(Model):
    """What an answer means: where all of its conditions hold, the first such row is taken.

    Without a row that holds, an answer below 300 leads to the next step and any other is an error by the
    driver's table.
    """

    status: Maybe[int | tuple[int, ...]] = None
    has: Maybe[From] = None
    """There is such a value."""
    equals: Maybe[str] = None
    """And it is this one."""
    contains: Maybe[str] = None
    """The answer's text holds this."""
    error: Maybe[Reason] = None
    message: Maybe[Said] = None
    field: Maybe[Name] = None
    """The field that is to blame."""
    go: Maybe[Name] = None
    """The step to go on with, by its name; `end` is the end. With `error`: the step that asks again."""
    still: bool = False
    """Of `wait`: nothing has happened yet."""

    @model_validator(mode="after")
    def _asks_and_says(self) -> Then:
        if self.status is None and self.has is None and self.contains is None:
            raise ValueError("a row of `then` needs a condition: `status`, `has` or `contains`")
        if self.equals is not None and self.has is None:
            raise ValueError("`equals` goes with `has`")
        if self.error is None and self.go is None and not self.still:
            raise ValueError("a row of `then` says what follows: `go`, `error` or `still: true`")
        return self
