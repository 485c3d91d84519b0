"""ID tokens in a recording: signed anew, so that playing it checks them as ever. It judges no token.

The key is made for one recording and thrown away; what a token says of a person is called by its name.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_OF_THE_LOGIN = frozenset({"iss", "aud", "azp", "nonce", "scope"})
"""Claims that say nothing of a person (OpenID Connect Core §2)."""
CLIENT_ID = "recorded-client_id"
"""The client that every recorded token is for."""


def names_in(bodies: Iterable[str]) -> dict[str, str]:
    """What to call what the ID tokens in these bodies say of a person, by its value."""
    tokens = (_object(body).get("id_token") for body in bodies)
    claims = (_claims(token) for token in tokens if isinstance(token, str))
    told = ((name, value) for one in claims for name, value in one.items() if name not in _OF_THE_LOGIN)
    return {value: f"recorded-{name}" for name, value in told if isinstance(value, str) and len(value) > 3}


class Resigner:
    """Signs the tokens of one recording."""

    def __init__(self) -> None:
        from joserfc.jwk import ECKey

        self._key = ECKey.generate_key("P-256", {"kid": "recorded", "alg": "ES256"})

    def body(self, body: str, names: Mapping[str, str]) -> str:
        """A body with its ID tokens signed by this key; of a set of public keys, this one alone."""
        if isinstance(_object(body).get("keys"), list):
            return json.dumps({"keys": [self._key.as_dict(private=False)]})
        return _JWT.sub(lambda found: self._anew(_claims(found[0]), names), body)

    def _anew(self, claims: dict[str, Any], names: Mapping[str, str]) -> str:
        from joserfc import jwt

        if not {"iss", "aud"} <= claims.keys():
            return "recorded-jwt"
        plain = {name: _called(value, names) for name, value in claims.items()}
        plain |= dict.fromkeys({"aud", "azp"} & claims.keys(), CLIENT_ID)
        return jwt.encode({"alg": "ES256", "kid": "recorded"}, plain, self._key)


def _called(value: Any, names: Mapping[str, str]) -> Any:
    """A claim by its name. Of lists and objects nothing is kept: no login looks into them."""
    if isinstance(value, str):
        return names.get(value, value)
    return value if isinstance(value, int | float) else None


def _claims(token: str) -> dict[str, Any]:
    part = f"{token}..".split(".")[1]
    try:
        return _object(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}


def _object(text: str | bytes) -> dict[str, Any]:
    """The members of a JSON object; none where it is something else."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
