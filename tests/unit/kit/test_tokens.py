"""Tokens: what counts, and every way not to."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, KeySet, OctKey

from kit.tokens import (
    Access,
    KeysRefused,
    ServiceTokens,
    TokenRefused,
    Verifier,
    new_sealing_key,
    new_signing_key,
    private_key,
    public_keys,
    seal,
    sign,
    unseal,
)

NOW = 1_800_000_000
PLATFORM = new_signing_key("platform-1")
CONSOLE = new_signing_key("console")
OTHER = new_signing_key("sync-runner")
CLAIMS = {
    "iss": "platform",
    "sub": "jane",
    "aud": "paperbus",
    "iat": NOW,
    "exp": NOW + 600,
    "jti": "1",
    "account": "a",
    "role": "admin",
}


def public(*keys: Key) -> KeySet:
    return public_keys(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}), "KEYS")


def verifier(now: float = NOW) -> Verifier:
    return Verifier(public(PLATFORM), public(CONSOLE, OTHER), lambda: now)


@pytest.mark.parametrize("key", [PLATFORM, CONSOLE, ECKey.generate_key("P-256", {"kid": "es"})])
def test_a_token_by_the_platform_or_the_console_says_who_calls(key: Key) -> None:
    known = Verifier(public(PLATFORM, key), public(CONSOLE), lambda: NOW)

    assert known.access(sign(key, CLAIMS)) == Access("jane", "a", "admin", "1", NOW + 600)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"aud": "other"}, "not meant for paperbus"),
        ({"aud": ["x", "y"]}, "not meant for paperbus"),
        ({"exp": NOW + 3601}, "lives longer"),
        ({"exp": NOW - 61, "iat": NOW - 600}, "expired"),
        ({"iat": NOW + 61}, "not valid yet"),
        ({"iat": None}, "when it was issued"),
        ({"exp": "soon"}, "when it was issued"),
        ({"account": ""}, "no account"),
        ({"sub": None}, "no sub"),
        ({"jti": None}, "no jti"),
        ({"iss": None}, "no iss"),
        ({"role": "king"}, "role"),
    ],
)
def test_a_token_that_lacks_something_does_not_count(changed: Mapping[str, Any], why: str) -> None:
    with pytest.raises(TokenRefused, match=why):
        verifier().access(sign(PLATFORM, CLAIMS | changed))


@pytest.mark.parametrize("now", [NOW - 60, NOW + 660])
def test_clocks_may_differ_by_a_minute(now: int) -> None:
    assert verifier(now).access(sign(PLATFORM, CLAIMS)).sub == "jane"


def b64(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


FORGED = {
    "another service's key": sign(OTHER, CLAIMS),
    "an unknown key of a known name": sign(new_signing_key("platform-1"), CLAIMS),
    "no algorithm": f"{b64({'alg': 'none', 'kid': 'platform-1'})}.{b64(CLAIMS)}.",
    "a symmetric algorithm": f"{b64({'alg': 'HS256', 'kid': 'platform-1'})}.{b64(CLAIMS)}.AAAA",
    "changed": ".".join([*sign(PLATFORM, CLAIMS).split(".")[:1], b64(CLAIMS | {"account": "b"}), "AAAA"]),
    "no token": "canary",
    "empty": "",
    "dots": "..",
    "not ascii": "é.é.é",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_does_not_count(token: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        verifier().access(token)

    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("role", "account", "sees", "manages"),
    [
        ("admin", "a", True, True),
        ("member", "a", True, False),
        ("admin", "b", False, True),
        ("operator", "b", True, False),
    ],
)
def test_roles(role: Any, account: str, sees: bool, manages: bool) -> None:  # noqa: FBT001 - a grid
    caller = Access("jane", "a", role, "1", NOW)

    assert (caller.may_see(account), caller.may_manage) == (sees, manages)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"keys": [PLATFORM.as_dict(private=True)]}, "private key"),
        ({"keys": [OctKey.generate_key(256, {"kid": "x"}).as_dict(private=True)]}, "private key"),
        ({"keys": [{"kty": "OKP"}]}, "without `kid`"),
        ({"keys": [{"kty": "?", "kid": "x"}]}, "neither"),
        ({"keys": []}, "no JWK set"),
        ([], "neither JSON nor the path"),
    ],
)
def test_a_key_set_that_must_not_be_used_stops_the_start(keys: object, why: str) -> None:
    with pytest.raises(KeysRefused, match=f"PAPERBUS_X.*{why}"):
        public_keys(json.dumps(keys), "PAPERBUS_X")


def test_keys_may_be_a_file(tmp_path: Any) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(OTHER.as_dict(private=True)))

    assert private_key(str(file), "X").kid == "sync-runner"
    with pytest.raises(KeysRefused, match="no private JWK"):
        private_key(json.dumps(OTHER.as_dict(private=False)), "X")


def test_services_know_one_another_by_name() -> None:
    connections = new_signing_key("connections")
    known = public(OTHER, connections)
    theirs = ServiceTokens(OTHER, known, lambda: NOW)
    ours = ServiceTokens(connections, known, lambda: NOW)
    token = theirs.issue("connections", {"run_id": "r"})

    assert ours.verify(token, ["sync-runner"])["run_id"] == "r"
    for wrong in (
        lambda: ours.verify(token, ["console"]),
        lambda: theirs.verify(token, ["sync-runner"]),
        lambda: ours.verify(
            sign(OTHER, {"iss": "console", "aud": "connections", "iat": NOW, "exp": NOW + 9}), ["sync-runner"]
        ),
        lambda: ours.verify(theirs.issue("connections", {}, 301), ["sync-runner"]),
    ):
        with pytest.raises(TokenRefused):
            wrong()


def test_what_is_sealed_opens_with_its_key_alone() -> None:
    key, other = new_sealing_key("k1"), new_sealing_key("k2")
    sealed = seal({"password": "canary"}, key, "x+jwe")

    assert unseal(sealed, [other, key], "x+jwe") == {"password": "canary"}
    for keys, text, typ in (
        (other, sealed, "x+jwe"),
        (key, sealed, "y+jwe"),
        (key, sealed[:-4] + "AAAA", "x+jwe"),
        (new_sealing_key("k1"), sealed, "x+jwe"),
        (key, sign(PLATFORM, CLAIMS), "x+jwe"),
        (key, "", "x+jwe"),
    ):
        with pytest.raises(TokenRefused) as refused:
            unseal(text, keys, typ)
        assert "canary" not in str(refused.value)
