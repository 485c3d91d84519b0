"""A sealed answer opens for its own challenge, and every flaw is refused in words that give nothing away."""

import base64
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from kit.endings import Refused
from schemas.reasons import Reason
from tests.sentences import says_what_to_do
from tests.unit.answers.made import (
    ACCOUNT,
    CANARY,
    CHALLENGE,
    CONNECTION,
    NOW,
    Made,
    claims,
    event,
    sealed,
    token,
)

AT = int(NOW.timestamp())


async def refusal(made: Made, text: str, **envelope: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        await made.opener.open(event(text, **envelope))
    said = f"{refused.value.message} {refused.value.errors}"
    assert CANARY not in said
    assert "eyJ" not in said
    assert refused.value.reason is Reason.INVALID
    assert refused.value.__cause__ is None
    assert says_what_to_do(refused.value.message), refused.value.message
    return refused.value


async def test_an_answer_made_by_the_contract_opens() -> None:
    made = Made()
    inside = claims()
    answer = await made.opener.open(event(sealed(await made.public(), inside)))

    assert answer.fields == {"password": CANARY}
    assert (answer.account, answer.connection_id, answer.challenge_id) == (ACCOUNT, CONNECTION, CHALLENGE)
    assert (answer.answer_id, answer.action, answer.via, answer.actor) == (
        inside["answer_id"],
        "answer",
        "sealed",
        "robot",
    )
    assert CANARY not in repr(answer)


@pytest.mark.parametrize("action", ["resend", "cancel"])
async def test_other_actions_need_no_fields(action: str) -> None:
    made = Made()
    answer = await made.opener.open(event(sealed(await made.public(), claims(action=action, fields=...))))

    assert (answer.action, answer.fields) == (action, {})


async def test_members_of_tomorrow_are_ignored() -> None:
    made = Made()

    assert await made.opener.open(event(sealed(await made.public(), claims(device="x"))))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"alg": "ECDH-ES+A256KW"}, "`alg`"),
        ({"enc": "A128GCM"}, "`enc`"),
        ({"typ": "JWE"}, "`typ`"),
        ({"typ": ...}, "`typ`"),
        ({"kid": ...}, "names no key"),
        ({"kid": "unknown"}, "not ours"),
        ({"x": CANARY}, "alone"),
    ],
)
async def test_a_protected_header_that_is_not_the_contracts_is_refused(
    header: dict[str, Any], words: str
) -> None:
    made = Made()

    assert words in (await refusal(made, sealed(await made.public(), claims(), **header))).message


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"aud": "paperbus"}, "`aud`"),
        ({"connection_id": str(uuid.uuid4())}, "`connection_id` is not the event's"),
        ({"challenge_id": "ch-2"}, "`challenge_id` is not the event's"),
        ({"exp": AT + 601}, "600 seconds"),
        ({"exp": AT}, "600 seconds"),
        ({"iat": AT + 61, "exp": AT + 100}, "future"),
        ({"iat": AT - 400, "exp": AT - 61}, "stale"),
        ({"token": "nonsense"}, "no access token"),
        ({"token": token(exp=AT - 100, iat=AT - 200)}, "no access token"),
        ({"token": token(aud="paperbus.console")}, "no access token"),
        ({"token": token(key=OKPKey.generate_key("Ed25519"))}, "no access token"),
        ({"token": token(account="other")}, "another account"),
        ({"token": token(role="member")}, "role `admin`"),
        ({"token": token(role="operator")}, "role `admin`"),
    ],
)
async def test_an_inside_that_is_not_for_this_challenge_is_refused(
    changed: dict[str, Any], words: str
) -> None:
    made = Made()

    assert words in (await refusal(made, sealed(await made.public(), claims(**changed)))).message


@pytest.mark.parametrize(
    "changed",
    [
        {"token": ...},
        {"answer_id": ...},
        {"answer_id": "1"},
        {"action": "steal"},
        {"iat": "now"},
        {"exp": -1},
        {"fields": [CANARY]},
        {"fields": {f"f{n}": CANARY for n in range(101)}},
        {"connection_id": CANARY},
    ],
)
async def test_a_member_that_breaks_its_rules_is_named(changed: dict[str, Any]) -> None:
    made = Made()
    refused = await refusal(made, sealed(await made.public(), claims(**changed)))

    assert [error.field for error in refused.errors] == list(changed)


@pytest.mark.parametrize("inside", [b"", b"nonsense", b"[]", b'"x"', b"\xff\xfe", b"{" * 5000, b"[" * 9000])
async def test_an_inside_that_is_no_json_object_is_refused(inside: bytes) -> None:
    made = Made()
    await refusal(made, sealed(await made.public(), inside))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "....",
        "a.b.c",
        "a.b.c.d.e",
        f"{CANARY}....",
        "e30....",
        "W10....",
        "MQ....",
        "W1tb" * 9000 + "....",
    ],
)
async def test_what_is_no_jwe_is_refused(text: str) -> None:
    await refusal(Made(), text)


async def test_every_changed_character_is_noticed() -> None:
    made = Made()
    text = sealed(await made.public(), claims(token=token()))
    head = text.index(".")
    for at in [*range(head), *range(head + 1, len(text), 7), *range(len(text) - 22, len(text))]:
        if text[at] == ".":
            continue
        other = "A" if text[at] != "A" else "B"
        changed = text[:at] + other + text[at + 1 :]
        if _same_bytes(text, changed):
            continue
        await refusal(made, changed)


def _same_bytes(one: str, other: str) -> bool:
    """Whether only bits changed that base64url leaves over at the end of a part."""

    def bytes_of(text: str) -> list[bytes]:
        return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split(".")]

    return bytes_of(one) == bytes_of(other)


@pytest.mark.parametrize(
    "epk",
    [..., None, "x", {}, {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"}, {"kty": "oct", "k": "AA"}],
)
async def test_a_hostile_ephemeral_key_is_refused(epk: object) -> None:
    made = Made()
    head, *rest = sealed(await made.public(), claims()).split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    header = {name: value for name, value in (header | {"epk": epk}).items() if value is not ...}
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()

    assert "does not open" in (await refusal(made, ".".join([head, *rest]))).message


async def test_another_event_than_the_one_it_was_sealed_for_is_refused() -> None:
    made = Made()
    text = sealed(await made.public(), claims())

    assert "another account" in (await refusal(made, text, accountid="other")).message


async def test_a_replaced_key_opens_for_three_hours_and_then_nothing_opens_it() -> None:
    made = Made()
    old = await made.public()
    inside = claims()
    made.clock.at += timedelta(days=30)
    await made.keys.tend()
    published = (await made.keys.published())["keys"]

    assert [key["kid"] for key in published][1] == old["kid"]
    assert published[0]["kid"] != old["kid"]
    assert await made.keys.private(old["kid"])
    made.clock.at += timedelta(hours=3)
    await made.keys.tend()
    assert [key["kid"] for key in (await made.keys.published())["keys"]] == [published[0]["kid"]]
    told = (await refusal(made, sealed(old, inside))).message
    assert "retired at 2" in told
    assert says_what_to_do(told)
    assert made.store.kept[0].sealed is None
    at = int(made.clock.at.timestamp())
    anew = inside | {"iat": at, "exp": at + 600, "token": token(iat=at, exp=at + 600)}
    assert await made.opener.open(event(sealed(published[0], anew))), "as it was told to"


async def test_two_replicas_make_one_key_and_open_what_was_sealed_to_the_others() -> None:
    one, two = Made(), Made()
    two.keys._store = one.store
    await two.keys.tend()
    await one.keys.tend()

    assert len(one.store.kept) == 1
    one.clock.at = two.clock.at = NOW + timedelta(days=31)
    assert await two.keys.published()
    await one.keys.tend()
    newest = (await one.keys.published())["keys"][0]
    assert (await two.keys.private(newest["kid"])).kid == newest["kid"]


async def test_what_is_published_is_public() -> None:
    made = Made()
    key = await made.public()

    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"]) == ("EC", "P-256", "enc")
    assert not ECKey.import_key(key).is_private
    assert json.dumps(key)
