"""What an import's options do to its documents, and that every source offers them."""

from typing import Any

import pytest

from providers.manifests import CATALOGUE, load
from schemas.reasons import RowStatus
from sync_runner.einvoices.reader import Said
from sync_runner.handlers.imports import Thing
from sync_runner.judging import NOT_CHOSEN, Seen, Wishes, metadata, verdict
from sync_runner.opening.blobs import Blob
from sync_runner.opening.kinds import Kind, Looks
from sync_runner.opening.pieces import Piece

PDF, PNG = Looks(Kind.PDF, "application/pdf"), Looks(Kind.IMAGE, "image/png")


def seen(looks: Looks = PDF, **terms: Any) -> Seen:
    return Seen(Piece("", "a", None, Blob.of(b"x")), looks, Said(terms))


def test_every_source_offers_types_a_type_tags_a_first_day_and_a_limit() -> None:
    wanted = {"types", "document_type", "tags", "since", "first_most"}
    sources = [each for each in map(load, sorted(CATALOGUE.iterdir())) if "import" in each.directions]

    assert len(sources) > 40
    assert [m.id for m in sources if not wanted <= {option.name for option in m.options.import_}] == []


@pytest.mark.parametrize(
    ("source", "invoice", "said"),
    [
        ({}, {}, "receipt"),
        ({"document_type": "credit_note"}, {}, "credit_note"),
        ({"document_type": "other"}, {"document_type": "invoice"}, "invoice"),
    ],
)
def test_the_type_is_what_the_invoice_says_else_the_source_else_the_option(
    source: dict[str, Any], invoice: dict[str, Any], said: str
) -> None:
    thing = Thing("a", "1", "a", metadata=source)

    assert metadata(thing, seen(**invoice), Wishes.of({"document_type": "receipt"}))["document_type"] == said


def test_a_type_that_nobody_says_is_unknown_and_no_tags_are_none() -> None:
    assert metadata(Thing("a", "1", "a"), seen(), Wishes.of({})) == {"document_type": "unknown"}


def test_tags_of_the_option_come_after_those_of_the_source_and_none_comes_twice() -> None:
    thing = Thing("a", "1", "a", metadata={"tags": ("post", "2026")})

    assert metadata(thing, seen(), Wishes.of({"tags": " 2026 ,, scan,scan "}))["tags"] == [
        "post",
        "2026",
        "scan",
    ]


@pytest.mark.parametrize(
    ("types", "looks", "status"),
    [
        (None, PDF, RowStatus.DONE),
        (None, PNG, RowStatus.SKIPPED),
        (["image"], PNG, RowStatus.DONE),
        (["image"], PDF, RowStatus.SKIPPED),
    ],
)
def test_only_the_kinds_that_were_chosen_come_in_and_the_others_are_told_of(
    types: list[str] | None, looks: Looks, status: RowStatus
) -> None:
    why = NOT_CHOSEN.format(found=looks.media_type) if status is RowStatus.SKIPPED else ""

    assert verdict(seen(looks), Wishes.of({"types": types}), ()) == (status, why)
