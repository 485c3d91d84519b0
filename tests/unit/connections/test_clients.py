"""An operator's client and its secret go where they were set up for, and nowhere else unasked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from connections.clients import MongoClients
from connections.vault import Vault
from providers.errors import ProviderError
from providers.login.oauth.client import Client, client_for
from schemas.manifest import Manifest
from schemas.reasons import Reason
from tests.unit.connections.builders import MANIFEST, NOW


class Kept:
    """As much of a collection as one client needs."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}

    async def find_one(self, query: Mapping[str, Any], _: object = None) -> dict[str, Any] | None:
        return self.document if self.document.get("_id") == query["_id"] else None

    async def update_one(
        self, query: Mapping[str, Any], update: Mapping[str, Any], *, upsert: bool = False
    ) -> Kept:
        if upsert:
            self.document = {"_id": query["_id"], **update["$setOnInsert"]}
        elif isinstance(self.document["addresses"], list):
            self.document["addresses"] += update["$addToSet"]["addresses"]["$each"]
        return self

    upserted_id = 1


def at(host: str) -> Manifest:
    oauth = {"authorize_url": "https://login.example/a", "token_url": f"https://{host}/t"}
    return Manifest.model_validate({**MANIFEST.wire(), "login": [{"redirect": "oauth"}], "oauth": oauth})


def addresses(manifest: Manifest) -> frozenset[str]:
    assert manifest.oauth is not None
    return frozenset(manifest.oauth.addresses)


async def test_a_client_is_not_shown_to_other_hosts_until_an_operator_approves() -> None:
    old, new = at("login.example"), at("elsewhere.example")
    clients = MongoClients(cast("Any", Kept()), Vault([("k", b"k" * 32)]))
    await clients.keep("webdav", Client("us", "S3cr3t", None, addresses(old)), "op", NOW)

    assert (await client_for(old, {}, clients)).secret == "S3cr3t"
    with pytest.raises(ProviderError) as refused:
        await client_for(new, {}, clients)
    assert refused.value.reason is Reason.NOT_SET_UP

    await clients.approve("webdav", addresses(new))
    assert (await client_for(new, {}, clients)).secret == "S3cr3t"
    assert (await client_for(old, {}, clients)).secret == "S3cr3t"


async def test_a_client_that_was_set_before_addresses_were_kept_goes_on() -> None:
    kept = Kept()
    clients = MongoClients(cast("Any", kept), Vault([("k", b"k" * 32)]))
    await clients.keep("webdav", Client("us", "S3cr3t"), "op", NOW)
    await clients.approve("webdav", addresses(at("login.example")))
    del kept.document["addresses"]

    assert (await client_for(at("elsewhere.example"), {}, clients)).client_id == "us"
