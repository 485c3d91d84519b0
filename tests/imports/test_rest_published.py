"""The manifests beside what providers publish of their answers (`published.yaml`): each place that a manifest
reads is one that the published answer has. Whether a live account answers so is not proven here.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from providers.drivers.restanswers import plain
from providers.manifests import CATALOGUE, load
from schemas.sources import Listing

PUBLISHED: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "published.yaml").read_text(encoding="utf-8")
)


def listings(provider: str, path: str) -> list[Listing]:
    source = load(CATALOGUE / provider).source
    assert source is not None
    return [listing for listing in source.lists if listing.call.path == path]


def of_a_row(listing: Listing) -> set[str]:
    places = {listing.id, *listing.version, *listing.values.values(), *listing.needs, *listing.only}
    places |= {*listing.metadata.values(), listing.received_at or "", listing.received_on or ""}
    if listing.document_types is not None:
        places.add(listing.document_types.at)
    if listing.file.call is None:
        places.add(listing.file.at or "")
    return places - {""}


def of_the_answer(listing: Listing) -> set[str]:
    paging = listing.paging
    return {listing.items, *((paging.next or "", paging.more or "") if paging else ())} - {""}


def of_the_file(listing: Listing) -> set[str]:
    return {listing.file.at} if listing.file.call is not None and listing.file.at else set()


def fetch_of(listing: Listing) -> str | None:
    call = listing.file.call
    return f"{call.method} {call.path}" if call else None


PROVEN_ELSEWHERE = {
    "mayan-edms": {"/api/v4/documents/"},
    "tryton": {"/{database}/rpc/"},
    "pennylane": {"/supplier_invoices"},
}
"""Lists of real servers that the tests make, and the one list of which no answer was found."""

CASES = [(provider, path) for provider, lists in PUBLISHED.items() for path in lists]


@pytest.mark.parametrize(("provider", "path"), CASES)
def test_a_manifest_reads_only_what_its_provider_publishes(provider: str, path: str) -> None:
    told = PUBLISHED[provider][path]
    found = listings(provider, path)

    assert found, "the manifest has no such list any more"
    for listing in found:
        assert of_the_answer(listing) <= {*told["answer"], *told.get("elsewhere", {})}
        assert of_a_row(listing) <= {*told["row"], *told.get("elsewhere", {})}
        assert of_the_file(listing) <= {*told.get("file", ()), *told.get("elsewhere", {})}
        assert fetch_of(listing) in told.get("fetch", [None])


def test_every_list_of_every_service_is_held_to_what_is_published() -> None:
    manifests = {folder.name: load(folder) for folder in CATALOGUE.iterdir() if folder.is_dir()}
    lists = {n: {each.call.path for each in its.source.lists} for n, its in manifests.items() if its.source}

    assert lists == {name: {*PUBLISHED.get(name, ()), *PROVEN_ELSEWHERE.get(name, ())} for name in lists}


@pytest.mark.parametrize(("provider", "path"), CASES)
def test_every_published_answer_says_where_it_is_published(provider: str, path: str) -> None:
    told = PUBLISHED[provider][path]
    assert told["origin"].startswith("https://")
    assert told["by"]
    assert told["seen"]
    assert told.get("told") or "fetch" not in told


@pytest.mark.parametrize(
    ("provider", "place", "draft", "final"),
    [
        ("bexio", "/kb_item_status_id", 7, 8),
        ("chargebee", "/invoice/status", "pending", "posted"),
        ("dolibarr", "/status", 0, 1),
        ("dolibarr", "/status", "0", None),
        ("dolibarr", "/ref", "(PROV12)", "FA2606-0001"),
        ("invoice-ninja", "/status_id", "1", "2"),
        ("sevdesk", "/status", "100", "200"),
        ("xero", "/Status", "DRAFT", "AUTHORISED"),
        ("zoho-books", "/status", "draft", "sent"),
    ],
)
def test_a_draft_is_no_document(provider: str, place: str, draft: Any, final: Any) -> None:
    source = load(CATALOGUE / provider).source
    assert source is not None
    for listing in source.lists:
        taken = listing.only[place]
        assert not re.search(taken, plain(draft))
        assert re.search(taken, plain(final))
