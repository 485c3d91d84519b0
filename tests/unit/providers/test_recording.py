"""A recording of a login holds nothing that opens the account it was made with."""

from __future__ import annotations

import base64
import json

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from providers.recording import Passed, Recording, names_of

SESSION, OLDER, TAKEN = "s3ss10n-c00k13", "0ld3r-c00k13", "t4k3n-by-a-step"
ACCESS, REFRESH, ID_TOKEN = "4cc3ss-t0k3n", "r3fr3sh-t0k3n", "eyJhbGciOiJFUzI1NiJ9.eyJlbWFpbCI6ImoifQ.c2ln"


def passed(url: str, body: object, *cookies: str) -> Passed:
    headers = [("Set-Cookie", cookie) for cookie in cookies]
    return Passed("POST", url, 200, headers, base64.b64encode(json.dumps(body).encode()).decode())


def test_nothing_that_came_after_the_last_answer_is_in_it() -> None:
    recording = Recording("acme", [{"fields": {"password": "P4ssw0rd"}, "action": "answer"}])
    recording.passed = [
        passed("https://p.example/in", {"ok": True, "session": TAKEN}, f"sid={OLDER}; Path=/", "seen=true"),
        passed(f"https://p.example/next?s={TAKEN}", {"ok": True}, f'sid="{SESSION}"; Path=/'),
        passed(
            "https://p.example/t", {"access_token": ACCESS, "refresh_token": REFRESH, "id_token": ID_TOKEN}
        ),
    ]
    state = {
        "values": {"password": "P4ssw0rd"},
        "taken": {"session": TAKEN},
        "tokens": {"access_token": ACCESS, "refresh_token": REFRESH, "scopes": ["a"]},
        "cookies": [["https://p.example/next", f"sid={SESSION}; Path=/"]],
    }

    text = recording.text(names_of([{"password": "P4ssw0rd"}], state))

    for secret in (SESSION, OLDER, TAKEN, ACCESS, REFRESH, ID_TOKEN, "P4ssw0rd"):
        assert secret not in text
    again = Recording.of(text)
    assert json.loads(base64.b64decode(again.passed[0].body)) == {"ok": True, "session": "recorded-session"}
    assert again.passed[1].url == "https://p.example/next?s=recorded-session"


def test_of_an_id_token_who_it_is_of_is_called_by_name_and_the_rest_is_signed_anew() -> None:
    theirs, aud = ECKey.generate_key("P-256", {"kid": "theirs"}), "0ur-cl13nt"
    person = {"sub": "00u-1234", "email": "jane@firm.example", "name": "Jane Doe", "groups": ["admins"]}
    claims = {
        "iss": "https://p.example",
        "aud": aud,
        "nonce": "n0nc3-0f-l0g1n",
        "exp": 1_800_000_000,
        **person,
    }
    recording = Recording("acme", [{"fields": {"back": BACK, "departure": {"nonce": claims["nonce"]}}}])
    recording.passed = [
        passed("https://p.example/t", {"access_token": ACCESS, "id_token": signed(claims, theirs)}),
        passed("https://p.example/keys", {"keys": [theirs.as_dict(private=False)]}),
        passed("https://p.example/userinfo", {"sub": person["sub"], "email": person["email"]}),
    ]
    state = {"values": {}, "tokens": {"access_token": ACCESS}}
    fields = [answer["fields"] for answer in recording.answers]

    text = recording.text(names_of([*fields, {"identity": person["email"]}], state))

    told, keys, info = (json.loads(base64.b64decode(one.body)) for one in Recording.of(text).passed)
    again = jwt.decode(told["id_token"], KeySet.import_key_set(keys), algorithms=["ES256"]).claims
    assert again["iss"] == claims["iss"]
    assert again["exp"] == claims["exp"]
    assert again["aud"] == "recorded-client_id"
    assert again["nonce"] == "recorded-nonce"
    assert again["email"] == info["email"] == "recorded-identity"
    assert again["sub"] == info["sub"] == "recorded-sub"
    assert not set(map(str, person.values())) & set(map(str, again.values()))
    back = json.loads(text)["answers"][0]["fields"]["back"]
    assert back == {"code": "recorded-code", "iss": BACK["iss"], "scope": "openid files"}
    assert "theirs" not in text


BACK = {"code": "c0d3-0f-l0g1n", "iss": "https://p.example", "scope": "openid files"}


def signed(claims: dict[str, object], key: ECKey) -> str:
    return jwt.encode({"alg": "ES256", "kid": "theirs"}, claims, key)
