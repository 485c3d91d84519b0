"""Walking through folders where names are odd. Real servers are asked in `tests/imports`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from providers.content import changed
from providers.errors import ProviderError, taken
from providers.folders import Entry, Folders, item_of
from providers.sources import Action, Afterwards


class Files:
    """One folder."""

    deep = False

    async def entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
        del folder, token
        odd = [Entry("/in/a\nb.pdf"), Entry("/in/..", is_folder=True), Entry("/in/x\ty", is_folder=True)]
        return [*odd, Entry("/in/b.pdf")], None


async def test_names_that_cannot_be_asked_for_hide_no_other_file_of_their_folder() -> None:
    options = {"folder": "/in", "subfolders": True}
    page = await Folders(Files(), options, 1).page(None, None)  # type: ignore[arg-type]  # stands in
    assert [item.id for item in page.items] == ["/in/b.pdf"]
    assert page.last


@dataclass
class Shelf:
    """Files by path, each with its version. Somebody writes a new one over `/a.pdf` just before a call."""

    renames: bool
    before: str
    deep: bool = False
    there: dict[str, str] = field(default_factory=lambda: {"/a.pdf": "1"})

    def _meet(self, call: str) -> None:
        if call == self.before:
            self.there["/a.pdf"] = "2"

    async def entry(self, path: str) -> Entry | None:
        found = self.there.get(path)
        return None if found is None else Entry(path, version=found)

    async def move(self, path: str, to: str) -> None:
        if to in self.there:
            raise taken()
        self._meet("move")
        self.there[to] = self.there.pop(path)

    async def remove(self, path: str, version: str) -> None:
        self._meet("remove")
        if self.renames:  # such servers know no conditions: what is there goes
            self.there.pop(path, None)
        elif self.there.get(path) == version:
            del self.there[path]
        else:
            raise changed()


@pytest.mark.parametrize("before", ["move", "remove", ""])
@pytest.mark.parametrize(("action", "renames"), [("delete", True), ("delete", False), ("move", True)])
async def test_a_file_that_somebody_replaces_while_it_is_put_away_is_never_lost_and_is_listed_again(
    action: Action,
    renames: bool,  # noqa: FBT001 - a parameter of the test
    before: str,
) -> None:
    shelf = Shelf(renames, before)
    folders = Folders(shelf, {"folder": "/"}, 1)  # type: ignore[arg-type]  # stands in
    await folders.settle(item_of(Entry("/a.pdf", version="1")), Afterwards(action, "/Done"))

    replaced = before == "move" if action == "move" else before and (renames or before == "remove")
    assert ("2" in shelf.there.values()) == bool(replaced)
    if replaced:
        assert shelf.there["/a.pdf"] == "2"


async def test_a_deletion_that_was_cut_after_the_file_was_taken_aside_goes_on() -> None:
    shelf = Shelf(renames=True, before="")
    folders = Folders(shelf, {"folder": "/"}, 1)  # type: ignore[arg-type]  # stands in
    item = item_of(Entry("/a.pdf", version="1"))
    await folders.settle(item, Afterwards("delete"))
    aside = Shelf(renames=True, before="")
    aside.there = {f"/.paperbus-{_marked()}": "1"}

    await Folders(aside, {"folder": "/"}, 1).settle(item, Afterwards("delete"))  # type: ignore[arg-type]  # stands in

    assert (shelf.there, aside.there) == ({}, {})


def _marked() -> str:
    return hashlib.sha256(b"/a.pdf\n1").hexdigest()[:8]


class Tree:
    """Folders of folders, two levels down, in pages of two entries. Counts how often it is asked."""

    deep = False
    renames = True

    def __init__(self, *paths: str) -> None:
        self.paths = paths
        self.asked = 0

    async def entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
        self.asked += 1
        stem = folder.rstrip("/") + "/"
        there = {}
        for path in self.paths:
            if path.startswith(stem):
                name, _, more = path.removeprefix(stem).partition("/")
                there[stem + name] = Entry(stem + name, is_folder=bool(more))
        later = [there[path] for path in sorted(there) if token is None or path > token]
        return later[:2], later[1].path if len(later) > 2 else None


PATHS = [f"/{a}/{b}/{c}.pdf" for a in "xyz" for b in "klm" for c in "123"] + [f"/{n}.pdf" for n in range(5)]


@pytest.mark.parametrize("others", [False, True], ids=["one worker", "another for each page"])
async def test_a_walk_goes_on_from_its_place_alone_and_misses_and_repeats_nothing(
    others: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    tree, options = Tree(*PATHS), {"folder": "/", "subfolders": True}
    folders = Folders(tree, options, 1)  # type: ignore[arg-type]  # stands in
    page = await folders.page(None, None)
    seen, cursors = [item.id for item in page.items], [page.cursor]
    while not page.last:
        if others:
            folders = Folders(tree, options, 1)  # type: ignore[arg-type]  # stands in
        page = await folders.page(page.cursor, None)
        seen += [item.id for item in page.items]
        cursors.append(page.cursor)

    assert sorted(seen) == sorted(PATHS)
    assert all(len(str(cursor)) < 100 for cursor in cursors)
    assert others or tree.asked == len(cursors)


async def test_a_tree_that_leads_round_in_a_ring_ends() -> None:
    class Ring(Tree):
        async def entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
            return [Entry(f"{folder.rstrip('/')}/round", is_folder=True)], None

    folders = Folders(Ring(), {"folder": "/", "subfolders": True}, 1)  # type: ignore[arg-type]  # stands in
    pages = 1
    page = await folders.page(None, None)
    while not page.last:
        page, pages = await folders.page(page.cursor, None), pages + 1
    assert pages < 50


async def test_a_tree_that_is_too_large_is_refused_and_not_looked_at_in_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("providers.walking.MOST_FOLDERS", 3)
    folders = Folders(Tree(*PATHS), {"folder": "/", "subfolders": True}, 1)  # type: ignore[arg-type]  # stands in
    with pytest.raises(ProviderError):
        await folders.count(None)
