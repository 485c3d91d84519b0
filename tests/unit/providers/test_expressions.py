"""A pattern of a manifest ends soon whatever is typed, or its author is told."""

import pytest

from providers.expressions import fault, takes

SLOW = [
    "^(a+)+$",
    "(a*)*b",
    "((((a+)))+)",
    "(?P<x>a+)+?",
    "(?:a*)++",
    "(a|aa)+$",
    r"(?:\w\w|\w)+$",
    "(.+.)*x",
    "(a?){50}b",
    "((ab)+)*c",
    r"(\s*,?)*",
    "(a+){2,30}",
    r"(\.a+b?)*",
    "(/.+)*",
    r"(/\W+)*",
    "(?=(a+)+$)b",
    "(?i)(aA+)+$",
    "x((?!y)(a+)+)?",
    r"(a+)(?(1)(b+)+|c)",
    "a*a*a*a*b",
    ".*.*.*.*x",
    "a{0,400}a{0,400}a{0,400}a{0,400}b",
]
QUICK = [
    "",
    "^[a-z]+$",
    r"(\w|\d)+",
    "(ab)*",
    "(a|b)*",
    r"([a-z0-9-]+\.)+[a-z]{2,}",
    r"\d{1,3}(\.\d{1,3}){3}",
    "(?i)[a-f]{2}(:[a-f]{2})*",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "a*:b*:c*:d*:e*",
    "u[0-9]{1,10}(-sub[0-9]{1,4})?",
    r"https?://[^\s/?#@]+(/(?!remote\.php|apps/)[^\s/?#]+)*/?",
]


@pytest.mark.parametrize("pattern", SLOW)
def test_what_can_be_told_apart_in_many_ways_is_refused(pattern: str) -> None:
    assert "on some texts" in str(fault(pattern))


@pytest.mark.parametrize("pattern", QUICK)
def test_what_can_be_told_apart_in_one_way_is_taken(pattern: str) -> None:
    assert fault(pattern) is None


@pytest.mark.parametrize("pattern", ["[", "a{99999999999}", "(" * 3000 + ")" * 3000, "(?P<a"])
def test_what_is_no_pattern_ends_nothing(pattern: str) -> None:
    assert fault(pattern) == "is no regular expression."


@pytest.mark.parametrize("pattern", ["[[", "[[]", "[a&&b]", "[a||b]", "[0--9]", "[a~~b]"])
def test_what_may_be_read_otherwise_by_a_later_python_is_refused_each_time(pattern: str) -> None:
    for _ in range(2):
        fault.cache_clear()
        assert "may mean something else" in str(fault(pattern))


def test_the_way_out_that_is_named_is_taken() -> None:
    assert fault(r"[\[a\&&b\||\--\~~]") is None


@pytest.mark.parametrize(
    "pattern", [".", "[^.]", r"\S+", r"\D", "a|(b/)", "[+-9]", "(?:x/)?", r"(.)\1", "[^a]"]
)
def test_a_pattern_that_lets_a_slash_in_is_seen(pattern: str) -> None:
    assert takes(pattern, "/")


@pytest.mark.parametrize("pattern", ["^[a-z0-9-]+$", r"\w+", "a|b", r"[^/]", "(?!/)a", r"[^\W]"])
def test_a_pattern_that_keeps_a_slash_out_is_seen(pattern: str) -> None:
    assert not takes(pattern, "/")
