"""Whatever is refused comes with a sentence that says what to do: all of them, read from their tables."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest

from connections.lifecycle import words as of_connections
from connections.lifecycle.connection import CONNECTION
from connections.lifecycle.login import LOGIN
from kit.transitions import Refuse
from providers import words as of_providers
from providers.login import texts as of_logins
from providers.login.oauth import texts as of_oauth
from schemas.fields import Words
from sync_runner.lifecycle.run import TABLE
from tests.sentences import says_what_to_do

NEWS = {"recovered", "provider_retired_title"} | {
    key for key in of_connections.TEXTS if key.endswith("_title")
}
"""Texts that report something good, or stand above a sentence."""


ON_THE_WAY = (of_logins.NOT_UNDERSTOOD, of_logins.NO_PICTURE, of_logins.NOTHING_TO_CHOOSE)


def refusals() -> Iterator[Refuse]:
    for table in (CONNECTION, LOGIN, TABLE):
        for rows in table.values():
            yield from (
                row for row in (rows if isinstance(rows, tuple) else (rows,)) if isinstance(row, Refuse)
            )


def texts() -> Iterator[tuple[str, Words]]:
    for key, text in of_connections.TEXTS.items():
        if key not in NEWS:
            yield key, text
    for key, (en, fr, de) in of_providers._TEXTS.items():
        yield key, Words(en=en, fr=fr, de=de)
    for name, text in vars(of_oauth).items():
        if isinstance(text, Words):
            yield name, text
    yield from ((reason.value, text) for reason, text in of_logins.REFUSED.items())
    yield from (("login", text) for text in ON_THE_WAY)


def test_every_row_that_refuses_says_what_to_do() -> None:
    said = {row.message for row in refusals()}

    assert len(said) > 25
    assert [message for message in said if not says_what_to_do(message)] == []


def test_every_text_for_customers_says_what_to_do() -> None:
    assert [text.en for _, text in texts() if not says_what_to_do(text.en)] == []


@pytest.mark.parametrize("language", ["fr", "de"])
def test_every_text_says_as_much_in_every_language(language: str) -> None:
    """As many sentences, of the same names: what to do is left out in none of them."""

    def of(text: str) -> tuple[set[str | None], int]:
        return {name for _, name, *_ in string.Formatter().parse(text) if name}, text.count(".")

    for key, text in texts():
        theirs = text.said(language)
        assert theirs != text.en, key
        assert of(theirs)[0] == of(text.en)[0], key
        assert of(theirs)[1] >= min(of(text.en)[1], 2), (key, theirs)


@pytest.mark.parametrize(
    "sentence",
    ["There is no such connection.", "This challenge expired.", "Check it", "The answer was taken."],
)
def test_a_sentence_that_leaves_its_reader_alone_is_noticed(sentence: str) -> None:
    assert not says_what_to_do(sentence)
