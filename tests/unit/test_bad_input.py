"""The page about bad input and faults names tests that are there, and at least one for each item."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/bad-input.md").read_text("utf-8")
TEST = re.compile(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`")
NAMED = TEST.findall(PAGE)
ROWS = [
    line
    for line in PAGE.partition("## Logins")[0].splitlines()
    if line.startswith("| ") and TEST.search(line)
]
ITEMS = """
not JSON; not CloudEvents; unknown type; unknown version; without an account; another's account; of 2 MB
binary or empty headers; sent twice; out of order; connection that was removed
asked for twice with other contents; by another account; old revision; `gridfs:` of another account
provider that is unknown; retired in mid-onboarding; wrong password; host that does not answer
certificate that does not verify; name that does not resolve; address that is not allowed
answer for another challenge; given twice; at the same time in the window and sealed; expired
sealed to a retired key; tampered with; another account's token; in the clear
options that the manifest refuses; interval of 0; of 10 s; of 1,000 years; time zone that does not exist
bytes differ from its hash; of 0 bytes; of 2 GB; answers 404; 301 to a private address; endless body; `/`
`..`; NUL; emoji; 300 characters; trailing dots; `CON`; right-to-left marks; differ only in case
each kind of mistake; line and column told; disk or quota full in mid-file
tables, names, schedules and parsers; private; loopback; link-local; metadata; mapped; NAT64; 6to4
decimal; octal; hexadecimal; DNS answers that change between two look-ups; redirects; on every protocol
"""
"""What may be sent to us wrongly, in the page's words."""


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_is_named_is_there(file: str, test: str) -> None:
    text = (ROOT / file).read_text("utf-8")

    assert not test or re.search(rf"def {test}\b", text), f"{file} has no {test}"


@pytest.mark.parametrize(
    "item", [item.strip() for line in ITEMS.split("\n") for item in line.split(";") if item]
)
def test_each_item_of_the_list_has_a_row_with_its_test(item: str) -> None:
    assert [row for row in ROWS if item in row.split("|")[1]], f"no row of the page is about: {item}"


def test_the_page_names_many() -> None:
    assert len(NAMED) > 50
