"""The vault seals so that a record opens at its own place alone, and a changed byte is noticed."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog.testing

from connections import store
from connections.vault import Place, SealBroken, Sealed, Vault, VaultKeysRefused, read_keys
from connections.vault_store import Found, Rotated, canary_records, rewrap_all, tend

OLD, NEW = ("old", bytes(range(32))), ("new", bytes(range(32, 64)))
HERE = Place(account="acme", connection="c1", kind="credentials", revision=3)
SECRET = b"correct horse battery staple"


def jwks(*keys: dict[str, object]) -> str:
    return json.dumps({"keys": keys})


def oct_key(kid: object = "k1", size: int = 32, **more: object) -> dict[str, object]:
    k = base64.urlsafe_b64encode(b"x" * size).rstrip(b"=").decode()
    return {"kty": "oct", "kid": kid, "k": k} | more


def test_what_is_sealed_opens_at_its_place() -> None:
    vault = Vault([NEW])

    assert vault.open(HERE, vault.seal(HERE, SECRET)) == SECRET
    assert vault.open_values(HERE, vault.seal_values(HERE, {"password": "é\n"})) == {"password": "é\n"}


def test_a_record_survives_being_stored() -> None:
    vault = Vault([NEW])
    sealed = vault.seal(HERE, SECRET)

    assert Sealed.of(sealed.document()) == sealed


@pytest.mark.parametrize(
    "there",
    [
        replace(HERE, account="other"),
        replace(HERE, connection="c2"),
        replace(HERE, kind="login"),
        replace(HERE, revision=2),
        replace(HERE, revision=4),
        Place(account="acme,c1", connection="", kind="credentials", revision=3),
    ],
    ids=["account", "connection", "kind", "older revision", "newer revision", "parts that run together"],
)
def test_a_moved_record_opens_nowhere_else(there: Place) -> None:
    vault = Vault([NEW])
    sealed = vault.seal(HERE, SECRET)

    with pytest.raises(SealBroken):
        vault.open(there, sealed)
    with pytest.raises(SealBroken):
        vault.rewrap(there, sealed)


@pytest.mark.parametrize("member", ["wn", "wk", "n", "ct"])
def test_every_changed_byte_is_noticed(member: str) -> None:
    vault = Vault([NEW])
    sealed = vault.seal(HERE, SECRET)
    good = getattr(sealed, member)

    for at in range(len(good)):
        for flip in (0x01, 0x80):
            bad = good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :]
            with pytest.raises(SealBroken):
                vault.open(HERE, replace(sealed, **{member: bad}))


@pytest.mark.parametrize("member", ["wn", "wk", "n", "ct"])
def test_a_record_cut_off_or_lengthened_is_noticed(member: str) -> None:
    vault = Vault([NEW])
    sealed = vault.seal(HERE, SECRET)
    good = getattr(sealed, member)

    for bad in (b"", good[:-1], good[:8], good + b"\0"):
        with pytest.raises(SealBroken):
            vault.open(HERE, replace(sealed, **{member: bad}))


def test_parts_of_two_records_of_one_place_cannot_be_mixed() -> None:
    vault = Vault([NEW])
    one, two = vault.seal(HERE, b"one"), vault.seal(HERE, b"two")

    with pytest.raises(SealBroken):
        vault.open(HERE, replace(one, n=two.n, ct=two.ct))
    with pytest.raises(SealBroken):
        vault.open(HERE, replace(one, wn=two.wn, wk=two.wk))


def test_another_key_under_the_same_name_opens_nothing() -> None:
    sealed = Vault([("k", OLD[1])]).seal(HERE, SECRET)

    with pytest.raises(SealBroken):
        Vault([("k", NEW[1])]).open(HERE, sealed)


def test_a_record_relabelled_with_another_held_key_does_not_open() -> None:
    vault = Vault([NEW, OLD])
    sealed = vault.seal(HERE, SECRET)

    with pytest.raises(SealBroken):
        vault.open(HERE, replace(sealed, kid="old"))


def test_a_key_that_is_not_held_is_named_as_what_to_mend() -> None:
    sealed = Vault([OLD]).seal(HERE, SECRET)

    with pytest.raises(SealBroken, match="put the key back into PAPERBUS_VAULT_KEYS"):
        Vault([NEW]).open(HERE, sealed)


def test_an_unknown_version_is_refused() -> None:
    vault = Vault([NEW])

    with pytest.raises(SealBroken, match="version 2"):
        vault.open(HERE, replace(vault.seal(HERE, SECRET), v=2))


def test_no_two_records_share_a_key_or_a_nonce() -> None:
    vault = Vault([NEW])
    records = [vault.seal(HERE, SECRET) for _ in range(200)]

    for member in ("wn", "wk", "n", "ct"):
        assert len({getattr(record, member) for record in records}) == 200


def test_rewrapping_keeps_the_secret_and_lets_the_old_key_go() -> None:
    both = Vault([NEW, OLD])
    sealed = Vault([OLD]).seal(HERE, SECRET)
    rewrapped = both.rewrap(HERE, sealed)

    assert (rewrapped.kid, rewrapped.ct, rewrapped.n) == ("new", sealed.ct, sealed.n)
    assert Vault([NEW]).open(HERE, rewrapped) == SECRET
    with pytest.raises(SealBroken):
        Vault([OLD]).open(HERE, rewrapped)


def test_neither_a_record_nor_a_vault_shows_what_it_holds() -> None:
    vault = Vault([NEW])
    shown = f"{vault!r} {vault.seal(HERE, SECRET)!r}"

    assert "horse" not in shown
    assert "AESGCM" not in shown
    assert "wk=" not in shown


def test_a_shredded_record_is_said_to_be_one() -> None:
    document = Vault([NEW]).seal(HERE, SECRET).document()
    del document["wk"]

    with pytest.raises(SealBroken, match="shredded"):
        Sealed.of(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/nowhere/at/all",
        "{}",
        "{nonsense",
        jwks(),
        jwks(oct_key(size=16)),
        jwks(oct_key(kid="")),
        jwks(oct_key(kid=7)),
        jwks(oct_key(kid=None)),
        jwks(oct_key(), oct_key()),
        jwks({"kty": "RSA", "kid": "k", "k": "AAAA"}),
        jwks(oct_key(k="%%%")),
        jwks(oct_key(k=5)),
    ],
)
def test_a_key_set_that_cannot_serve_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(VaultKeysRefused, match="PAPERBUS_VAULT_KEYS") as refused:
        read_keys(text)

    assert "\n" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_key_set_serves_and_its_first_key_is_the_newest() -> None:
    keys = jwks(oct_key())

    assert read_keys(keys).open(HERE, read_keys(keys).seal(HERE, SECRET)) == SECRET
    assert read_keys(jwks(oct_key("b"), oct_key("a"))).newest == "b"


class InMemory:
    """Records in a dict, with a writer that gets in between."""

    def __init__(self, records: dict[str, Sealed]) -> None:
        self.records = records
        self.meanwhile: dict[str, Sealed] = {}

    async def count(self, newest: str) -> int:
        return len([found async for found in self.stale(newest)])

    async def stale(self, newest: str) -> AsyncIterator[Found]:
        for ref, sealed in list(self.records.items()):
            if sealed.kid != newest:
                yield Found(ref, replace(HERE, connection=ref), sealed)

    async def swap(self, found: Found, rewrapped: Sealed) -> bool:
        if found.ref in self.meanwhile:
            self.records[found.ref] = self.meanwhile.pop(found.ref)
        if self.records[found.ref].wk != found.sealed.wk:
            return False
        self.records[found.ref] = rewrapped
        return True


async def test_rewrapping_never_overwrites_what_was_written_meanwhile() -> None:
    both, old = Vault([NEW, OLD]), Vault([OLD])
    places = {ref: replace(HERE, connection=ref) for ref in ("a", "b", "c")}
    store = InMemory({ref: old.seal(place, ref.encode()) for ref, place in places.items()})
    store.meanwhile["b"] = old.seal(places["b"], b"newer")

    first, second = await rewrap_all(both, [store]), await rewrap_all(both, [store])

    assert (first, second) == (Rotated(2, 1, 0), Rotated(1, 0, 0))
    opened = {ref: Vault([NEW]).open(places[ref], sealed) for ref, sealed in store.records.items()}
    assert opened == {"a": b"a", "b": b"newer", "c": b"c"}


async def test_one_broken_record_does_not_stop_the_others() -> None:
    both, old = Vault([NEW, OLD]), Vault([OLD])
    moved = old.seal(replace(HERE, connection="elsewhere"), b"x")
    store = InMemory({"a": moved, "b": old.seal(replace(HERE, connection="b"), b"b")})

    assert await rewrap_all(both, [store]) == Rotated(rewrapped=1, lost=0, broken=1)
    assert store.records["a"] is moved


def says_that_old_keys_may_go(lines: list[Any]) -> bool:
    return any("older ones may be dropped" in line["event"] for line in lines)


async def test_keys_are_tended_until_a_round_finds_nothing() -> None:
    both, old = Vault([NEW, OLD]), Vault([OLD])
    canary = InMemory({"canary": old.seal(replace(HERE, connection="canary"), b"canary")})
    store = InMemory({"a": old.seal(replace(HERE, connection="a"), b"a")})
    kids, said = [], []
    for _ in range(3):
        with structlog.testing.capture_logs() as lines:
            await tend(both, [store], canary)
        kids.append((store.records["a"].kid, canary.records["canary"].kid))
        said.append(says_that_old_keys_may_go(lines))

    assert kids == [("new", "old"), ("new", "new"), ("new", "new")]
    assert said == [False, True, False]


async def test_what_a_replica_with_the_old_keys_seals_later_is_found_too() -> None:
    both, old = Vault([NEW, OLD]), Vault([OLD])
    canary = InMemory({"canary": both.seal(replace(HERE, connection="canary"), b"canary")})
    store = InMemory({"a": old.seal(replace(HERE, connection="a"), b"b")})
    await tend(both, [store], canary)

    assert store.records["a"].kid == "new"


async def test_rewrapping_makes_whoever_read_before_it_read_again() -> None:
    asked: list[Any] = []

    class Collection:
        async def update_one(self, query: dict[str, Any], update: dict[str, Any]) -> Any:
            asked.append((query, update))
            return SimpleNamespace(matched_count=1)

    found = Found("7", HERE, Vault([OLD]).seal(HERE, SECRET))
    records = store.records(cast("Any", Collection()))
    assert all([await one.swap(found, found.sealed) for one in records])
    assert len(asked) == len(records)
    assert all(update["$inc"] == {"v": 1} for _, update in asked)
    # Where nobody guards by a version, none is made up.
    await canary_records(cast("Any", Collection())).swap(found, found.sealed)
    assert "$inc" not in asked[-1][1]
