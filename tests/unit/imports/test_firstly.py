"""A first import takes no more of what lay there than was asked for, and everything that comes after."""

import json
from datetime import UTC, datetime, timedelta

from providers.sources import Item
from sync_runner.firstly import First, without

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def items(*minutes: int | None) -> list[Item]:
    """Received so many hours after noon."""
    return [
        Item(str(n), "1", f"{n}.pdf", received_at=None if at is None else NOON + timedelta(hours=at))
        for n, at in enumerate(minutes)
    ]


def test_without_the_option_or_after_a_listing_without_it_nothing_is_limited() -> None:
    assert First.of(None, {}, NOON) is None
    assert First.of({"uid": 7}, {"first_most": 3}, NOON) is None


def test_the_limit_goes_over_all_pages_and_stored_cursors_and_spares_what_came_since() -> None:
    cursor, taken = None, []
    for page in (items(-9, -8), items(-7, 1, -6), items(-5, 2), items(3, -1)):
        first = First.of(cursor, {"first_most": 3}, NOON)
        assert first is not None
        of_page, first = first.taking(page)
        taken.append([item.id for item in of_page])
        cursor = json.loads(json.dumps(first.on({"uid": len(taken)})))

    assert taken == [["0", "1"], ["0", "1"], ["1"], ["0"]]
    assert without(cursor) == {"uid": 4}
    assert without(None) is None


def test_what_does_not_say_when_it_was_received_is_never_left_out() -> None:
    first = First.of(None, {"first_most": 1}, NOON)
    assert first is not None
    taken, _ = first.taking(items(None, -1, None, -2))
    assert [item.id for item in taken] == ["0", "1", "2"]
