"""Paths stay within the connection; unfinished uploads have a place of their own."""

import pytest

from providers.drivers.paths import parent, segments, unfinished
from providers.errors import ProviderError


@pytest.mark.parametrize(
    ("path", "names"),
    [("/", []), ("", []), ("/a", ["a"]), ("a//b/", ["a", "b"]), ("/ä ö/.x/c.pdf", ["ä ö", ".x", "c.pdf"])],
)
def test_a_path_is_its_names(path: str, names: list[str]):
    assert segments(path) == names


@pytest.mark.parametrize("path", ["/..", "/a/./b", "/a\x00b", "/a\r\nb", "/\x7f"])
def test_a_path_that_would_leave_or_break_is_invalid(path: str):
    with pytest.raises(ProviderError):
        segments(path)


def test_an_unfinished_upload_lies_beside_hidden_and_at_the_same_place_each_time():
    first, second = unfinished("/a/b.pdf", "0" * 64), unfinished("/a/b.pdf", "1" * 64)

    assert first == unfinished("/a/b.pdf", "0" * 64) != second
    assert parent(first) == parent("/a/b.pdf") == "/a"
    assert first.startswith("/a/.")
    assert unfinished("/b.pdf", "0" * 64).startswith("/.")
