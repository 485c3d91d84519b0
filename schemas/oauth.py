"""How a provider does OAuth 2.0, as its manifest writes it: addresses, scopes, habits, lifetimes. Data.

RFC 6749, 7009, 7523, 7636, 8414, 8628, 9207, 9700, OpenID Connect Core 1.0. The client and its secret are not
here: an operator registers the platform with each provider (`paperbus admin clients set`).
"""

from __future__ import annotations

import string
from typing import Annotated, Literal

from pydantic import Field as Member, StringConstraints, model_validator

from schemas.base import Maybe, Model
from schemas.fields import Name

Pointer = Annotated[str, StringConstraints(pattern=r"^(/[^\s]*)?$", max_length=200)]
"""A JSON pointer (RFC 6901): `/authed_user/access_token`."""
Address = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=500)]
"""An address; `{field}` of it is filled from what the login asked before, percent-encoded."""
Param = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class TokenAnswer(Model):
    """Where the token endpoint's answer holds what, where it is not as RFC 6749 §5.1 has it."""

    access_token: Pointer = "/access_token"  # noqa: S105 - a place, no token
    refresh_token: Pointer = "/refresh_token"  # noqa: S105 - a place, no token
    expires_in: Pointer = "/expires_in"
    refresh_expires_in: Maybe[Pointer] = None
    """Seconds that the refresh token lasts, such as `/x_refresh_token_expires_in`."""
    scope: Pointer = "/scope"
    error: Pointer = "/error"
    """Where an error is told, also by a provider that answers 200 with one."""


class IdentityAt(Model):
    """Where to learn whose account it is: in the ID token, or by a call with the access token."""

    url: Maybe[Address] = None
    """Called with the access token; unset: the ID token is read."""
    method: Literal["GET", "POST"] = "GET"
    header: str = "Authorization"
    """The header that carries the access token: as `Bearer` in `Authorization`, bare in another one."""
    name: Pointer = "/email"
    """How the account is shown to the customer, and told from others: `jane@firm.example`."""
    keep: dict[Name, Pointer] = Member(default_factory=dict)
    """Further members that the driver's settings need."""


class TokenLife(Model):
    """How long tokens last, where their answer does not say so."""

    access_seconds: Maybe[int] = Member(default=None, ge=30)
    """Unset, and nothing in the answer: the access token lasts until it is refused."""
    margin_seconds: int = Member(default=300, ge=5)
    """How long before its end a token is renewed; never more than a fifth of its life."""
    refresh_hours: Maybe[float] = Member(default=None, gt=0)
    """How long a refresh token lasts; unset: until it is revoked."""
    refresh_slides: bool = True
    """Each renewal begins `refresh_hours` anew. If not, the customer has to agree again at their end."""
    consent_days: Maybe[int] = Member(default=None, ge=1)
    """After so many days the customer has to agree again, whatever was renewed."""
    reuse_seconds: int = Member(default=0, ge=0)
    """How long a refresh token that was exchanged still works, for whoever lost the answer."""


class OAuth(Model):
    """The authorization server of one provider, and how it differs from the book.

    Endpoints are named, or found by `issuer` (RFC 8414) at known origins; what is named wins. PKCE with S256
    is always sent.
    """

    issuer: Maybe[Address] = None
    authorize_url: Maybe[Address] = None
    token_url: Maybe[Address] = None
    device_url: Maybe[Address] = None
    revoke_url: Maybe[Address] = None
    jwks_url: Maybe[Address] = None
    endpoint_origins: tuple[Address, ...] = Member(default=(), max_length=10)
    """Where else than at the issuer's own origin endpoints found by it may be. What is elsewhere is not used,
    until a newer manifest names its origin and an operator approves of that."""
    client: Literal["operator", "customer"] = "operator"
    """Whose client: the operator's, from the vault, or the customer's own: the login asks for its
    `client_id` and `client_secret`."""
    client_auth: Literal["basic", "post", "private_key_jwt", "none"] = "basic"
    scopes: tuple[Param, ...] = Member(default=(), max_length=50)
    """Asked for, and needed."""
    optional_scopes: tuple[Param, ...] = Member(default=(), max_length=50)
    """Asked for; a provider that does not name them among the granted ones is taken at its word."""
    scope_separator: Literal["space", "comma"] = "space"
    authorize_params: dict[Param, str] = Member(default_factory=dict)
    token_params: dict[Param, str] = Member(default_factory=dict)
    token_format: Literal["form", "json"] = "form"  # noqa: S105 - a format, no token
    code_param: Param = "code"
    """What the code is called on the way back (`spapi_oauth_code`)."""
    answer: TokenAnswer = TokenAnswer()
    keep_from_callback: dict[Name, Param] = Member(default_factory=dict)
    """What else comes back by the browser and the driver needs, by field: `realm_id: realmId`. No address of
    `oauth` may hold it."""
    id_token_issuer: Maybe[Address] = None
    """What ID tokens name as their issuer, where it is not `issuer`; `{claim}` is filled from them."""
    identity: Maybe[IdentityAt] = None
    verification_hosts: tuple[str, ...] = Member(default=(), max_length=10)
    """Where a device code may send the customer; unset: the host of `device_url`."""
    life: TokenLife = TokenLife()
    revocation_ends: Literal["grant", "token"] = "grant"
    """What giving a token back ends at this provider (RFC 7009 §2.1 leaves it open): `grant`, all that this
    client holds of the account, by whatever login; `token`, what came of that login alone."""
    requests_per_second: float = Member(default=5.0, gt=0, le=1000)
    """What the token endpoint bears of renewals, of all accounts together."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that secrets are sent to, or the customer."""
        named = (
            self.issuer, self.authorize_url, self.token_url, self.device_url, self.revoke_url, self.jwks_url,
            self.identity.url if self.identity else None, *self.endpoint_origins,
        )  # fmt: skip
        return tuple(address for address in named if address is not None)

    @property
    def fields_in_addresses(self) -> frozenset[str]:
        """The fields that addresses are filled from."""
        parsed = (part for address in self.addresses for part in string.Formatter().parse(address))
        return frozenset(name for _, name, _, _ in parsed if name)

    @model_validator(mode="after")
    def _is_whole(self) -> OAuth:
        if self.issuer is None and self.token_url is None:
            raise ValueError("oauth needs `token_url`, or `issuer` to find it by")
        stray = self.fields_in_addresses & self.keep_from_callback.keys()
        if stray:
            raise ValueError(
                f"oauth: {', '.join(sorted(stray))} comes from the browser and may not be part of an address"
            )
        if self.client_auth == "private_key_jwt" and self.client == "customer":
            raise ValueError("oauth: a customer's own client has a secret, no key; use `basic` or `post`")
        return self
