"""What a bulk write's error means: all is there already, an item is wrong, or nothing is durable."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import BulkWriteError

from kit.mongo import only_duplicates
from kit.trouble import is_trouble

TAKEN = {"code": 11000, "index": 0}
WRONG = {"code": 121, "index": 1}
LOST = {"code": 91, "errmsg": "the primary is shutting down"}


@pytest.mark.parametrize(
    ("items", "concerns", "harmless", "trouble"),
    [
        ([TAKEN], [], True, False),
        ([TAKEN, TAKEN], [], True, False),
        ([TAKEN, WRONG], [], False, False),
        ([], [LOST], False, True),
        ([TAKEN], [LOST], False, True),
        ([WRONG], [LOST], False, True),
    ],
)
def test_duplicates_are_harmless_only_where_the_rest_is_durable(
    items: list[Any], concerns: list[Any], *, harmless: bool, trouble: bool
) -> None:
    error = BulkWriteError({"writeErrors": items, "writeConcernErrors": concerns})

    assert only_duplicates(error) is harmless
    assert is_trouble(error) is trouble
