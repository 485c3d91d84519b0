"""YAML read narrowly, each value with its place in the text. It knows nothing of manifests.

Only `true`, `false` and plain decimal numbers are more than text: `no`, `12:30` and `on` stay what they are
(YAML 1.1 would make a truth and a number of seconds of them). Anchors and tags are refused: a few lines could
otherwise become gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml

MOST_BYTES = 256 * 1024
DEEPEST = 32
_SAFE_NESTING = 1000


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


class _Narrow(yaml.CSafeLoader):
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]  # the library writes it so too


for tag, pattern, first in (
    ("bool", r"true|false", "tf"),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
    ("null", r"", [""]),
):
    _Narrow.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


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
            refused = [] if root is None else list(_refused(root, set()))
            members = None if root is None or refused else loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise Broken([_said(error)]) from None
    except ValueError as error:
        raise error if isinstance(error, Broken) else Broken([_NO_NUMBER]) from None
    if refused:
        raise Broken(refused)
    if not isinstance(root, yaml.MappingNode) or not isinstance(members, dict):
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
            raise Broken([Complaint(*_at(event), "This is nested too deeply.")])


def _refused(node: yaml.Node, seen: set[int]) -> Iterator[Complaint]:
    line, column = _at(node)
    if id(node) in seen:
        yield Complaint(line, column, "Aliases are not read here; write it again, or use `extends:`.")
        return
    seen.add(id(node))
    if node.tag not in _PLAIN:
        yield Complaint(line, column, f"The tag {node.tag} is not read here; remove it.")
    if isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.tag.endswith(":str"):
                yield Complaint(*_at(key), "A member's name must be a word; put it in quotes.")
                continue
            if key.value in names:
                yield Complaint(*_at(key), f"`{key.value}` is said twice; only one can be meant.")
            names.add(key.value)
            yield from _refused(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _refused(item, seen)


_KINDS = ("map", "seq", "str", "bool", "int", "float", "null")
_PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in _KINDS)


_NO_NUMBER = Complaint(1, 1, "A tag of this file does not fit its value; remove the tag.")


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
        if mark is not None:
            return Complaint(mark.line + 1, mark.column + 1, f"This is no YAML: {what}.")
    return Complaint(1, 1, "This is no YAML in UTF-8.")
