"""YAML read narrowly, each value with its place in the text. It knows nothing of manifests.

Only `true`, `false` and plain decimal numbers are more than text: `no`, `12:30` and `on` stay what they are
(YAML 1.1 would make a truth and a number of seconds of them). Anchors and tags are refused: a few lines could
otherwise become gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

MOST_BYTES = 256 * 1024
DEEPEST = 32
_SAFE_NESTING = 1000
_TOO_DEEP = "This is nested too deeply."
_TAGGED = "Tags are not read here; remove it."


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """What is wrong at one place of a file. Line and column count from 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


class Broken(ValueError):
    """A file that cannot be used, with everything that is wrong with it."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        super().__init__("\n".join(str(complaint) for complaint in complaints))
        self.complaints = tuple(complaints)


@dataclass(frozen=True, slots=True)
class Marked:
    """Members as they were written, and where."""

    members: dict[str, Any]
    root: yaml.MappingNode

    def place(self, path: Sequence[int | str]) -> tuple[int, int]:
        """Line and column of the member at `path`, or of the nearest thing above it.

        Parts that are not there, such as the name of a union's choice, are passed over.
        """
        node: yaml.Node = self.root
        mark = node.start_mark
        for position, part in enumerate(path):
            key, value = _step(node, part)
            last = position == len(path) - 1
            if value is None or (isinstance(value, yaml.ScalarNode) and not last):
                continue
            mark, node = (key or value).start_mark, value
        return mark.line + 1, mark.column + 1


def _kept(number: float) -> float:
    """The number, where every store and every reader of JSON keeps it as it is (RFC 8259 §6)."""
    if not abs(number) <= _LARGEST:  # neither is what is no number
        raise ValueError("too large")
    return number


_LARGEST = 2**53
_TAG = "tag:yaml.org,2002:"
_TEXT, _MAPPING, _SEQUENCE = f"{_TAG}str", f"{_TAG}map", f"{_TAG}seq"
_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    _TEXT: str,
    f"{_TAG}bool": lambda text: text == "true",
    f"{_TAG}int": lambda text: _kept(int(text)),
    f"{_TAG}float": lambda text: _kept(float(text)),
    f"{_TAG}null": lambda _: None,
}


_PLAIN: Final = re.compile(
    r"(?P<bool>true|false)|(?P<int>-?(?:0|[1-9][0-9]*))|(?P<float>-?(?:0|[1-9][0-9]*)\.[0-9]+)|(?P<null>)"
)
"""What is more than text where it stands without quotes, by its tag."""


class _Narrow(yaml.CSafeLoader):
    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        """The tag of a node that says none. `implicit[0]`: it is a scalar without quotes."""
        if kind is not yaml.ScalarNode:
            return _MAPPING if kind is yaml.MappingNode else _SEQUENCE
        found = _PLAIN.fullmatch(value or "") if implicit[0] else None
        return _TEXT if found is None else f"{_TAG}{found.lastgroup}"


def read(raw: bytes) -> Marked:
    """The mapping that a file holds.

    Raises:
        Broken: it is no YAML, too large, not a mapping, or uses what is refused here.
    """
    if len(raw) > MOST_BYTES:
        raise Broken([Complaint(1, 1, f"This file is larger than {MOST_BYTES // 1024} KB.")])
    try:
        _look_for_depth(raw)
        loader = _Narrow(raw)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise Broken([_said(error)]) from None
    values = _Values()
    members: Any = None if root is None else values.of(root)
    if values.complaints:
        raise Broken(values.complaints)
    if not isinstance(root, yaml.MappingNode):
        raise Broken([Complaint(1, 1, "This file must hold members, such as `id: example`.")])
    return Marked(members, root)


def _look_for_depth(raw: bytes) -> None:
    """Refuse what is nested so deeply that libyaml's recursion would end the process.

    Only signs that open something without a line of its own nest that far: few of them need no second look.
    """
    if sum(raw.count(sign) for sign in (b"[", b"{", b"-", b"?")) < _SAFE_NESTING:
        return
    depth = 0
    for event in yaml.parse(raw, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Broken([Complaint(*_at(event), _TOO_DEEP)])


class _Values:
    """Makes values of nodes, each node once, and notes what is refused."""

    def __init__(self) -> None:
        self.complaints: list[Complaint] = []
        self._seen: set[int] = set()

    def of(self, node: yaml.Node, depth: int = 1) -> Any:
        if id(node) in self._seen:
            return self._refuse(node, "Aliases are not read here; write it again, or use `extends:`.")
        self._seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if depth > DEEPEST:
            return self._refuse(node, _TOO_DEEP)
        if isinstance(node, yaml.MappingNode) and node.tag == _MAPPING:
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQUENCE:
            return [self.of(item, depth + 1) for item in node.value]
        return self._refuse(node, _TAGGED)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        make = _SCALARS.get(node.tag)
        if make is None or (node.style and make is not str):
            return self._refuse(node, _TAGGED)
        try:
            return make(node.value)
        except ValueError:  # also where a tag is written out and does not fit
            return self._refuse(node, "This number is too large, or is none; put a text in quotes.")

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != _TEXT:
                self._refuse(key, "A member's name must be a word; put it in quotes.")
                continue
            if key.value in made:
                self._refuse(key, f"`{key.value}` is said twice; only one can be meant.")
            made[key.value] = self.of(value, depth + 1)
        return made

    def _refuse(self, node: yaml.Node, message: str) -> None:
        self.complaints.append(Complaint(*_at(node), message))


def _at(what: yaml.Node | yaml.Event) -> tuple[int, int]:
    mark = what.start_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _step(node: yaml.Node, part: int | str) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None, None


def _said(error: yaml.YAMLError) -> Complaint:
    """A YAML error as a sentence; text of the file is not repeated."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        what = (error.problem or "it cannot be read").rstrip(".")
        begun = error.context_mark
        if mark is not None and begun is not None and begun.line != mark.line:
            what += f", in what begins in line {begun.line + 1}"
        if "cannot start any token" in what:
            what += "; YAML is indented by spaces, never by tabs, and such a sign needs quotes"
        if mark is not None:
            return Complaint(mark.line + 1, mark.column + 1, f"This is no YAML: {what}.")
    return Complaint(1, 1, "This is no YAML in UTF-8.")
