"""Finding providers: typos, accents, three languages, filters, pages."""

from __future__ import annotations

import pytest

from catalog.search import Index, Listed, Wanted
from catalog.words import folded


def listed(id_: str, name: str, *aliases: str, **other: object) -> Listed:
    names = other.pop("names", {"en": name})
    members = {"categories": ("storage",), "directions": ("export",), **other}
    return Listed(id_, names, aliases, **members)  # type: ignore[arg-type]  # each test gives what it is about


@pytest.fixture
def index() -> Index:
    index = Index()
    for one in (
        listed("nextcloud", "Nextcloud", "Storage Share"),
        listed("owncloud", "ownCloud"),
        listed("one-drive", "One Drive", countries=()),
        listed("hidrive", "HiDrive", "STRATO", countries=("de", "nl")),
        listed(
            "credit-mutuel", "Crédit Mutuel", categories=("bank",), countries=("fr",), directions=("import",)
        ),
        listed("boekhouding", "Bœkhouding Łódź", categories=("accounting",)),
        listed(
            "archive",
            "Archive",
            names={"en": "Archive Post", "fr": "La Poste Archives", "de": "Ablage Post"},
            categories=("archive",),
        ),
    ):
        index.put(one)
    return index


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("nextcloud", "nextcloud"),
        ("NEXT", "nextcloud"),
        ("nextclod", "nextcloud"),
        ("nextcluod", "nextcloud"),
        ("mextcloud", "nextcloud"),
        ("next cloud", "nextcloud"),
        ("onedrive", "one-drive"),
        ("strato", "hidrive"),
        ("starto", "hidrive"),
        ("storage share", "nextcloud"),
        ("credit mutuel", "credit-mutuel"),
        ("CRÉDIT", "credit-mutuel"),
        ("credti mutule", "credit-mutuel"),
        ("boekhouding lodz", "boekhouding"),
        ("banque", "credit-mutuel"),
        ("Buchhaltung", "boekhouding"),
        ("comptabilite", "boekhouding"),
        ("nextcloud xyzzy", "nextcloud"),
        ("la poste", "archive"),
        ("ablage", "archive"),
    ],
)
def test_what_people_type_finds_what_they_mean(index: Index, query: str, first: str) -> None:
    assert index.find(Wanted(query), 10).ids[0] == first


@pytest.mark.parametrize("query", ["xyzzy", "!!!", "zq"])
def test_what_is_nothing_finds_nothing(index: Index, query: str) -> None:
    assert index.find(Wanted(query), 10).ids == []


def test_filters_keep_what_fits_and_what_is_at_home_everywhere(index: Index) -> None:
    assert index.find(Wanted(direction="import"), 10).ids == ["credit-mutuel"]
    assert index.find(Wanted(category="archive"), 10).ids == ["archive"]
    in_france = index.find(Wanted(country="fr"), 10).ids
    assert "credit-mutuel" in in_france
    assert "nextcloud" in in_france
    assert "hidrive" not in in_france


def test_lists_are_sorted_by_the_name_in_the_reader_s_language(index: Index) -> None:
    english = index.find(Wanted(locale="en"), 10).ids
    french = index.find(Wanted(locale="fr"), 10).ids

    assert english.index("archive") == 0
    assert french.index("archive") == 3
    assert index.find(Wanted(locale="xx"), 10).ids == english


@pytest.mark.parametrize("query", ["", "cloud", "storage"])
def test_pages_together_are_the_whole_list_even_when_it_changes_between(index: Index, query: str) -> None:
    whole = index.find(Wanted(query), 100).ids
    seen: list[str] = []
    after = None
    while True:
        page = index.find(Wanted(query), 2, after)
        seen += page.ids
        index.put(listed("aaa-new", "Aaa New", categories=("shop",)))
        if page.next is None:
            break
        after = page.next

    assert [id_ for id_ in seen if id_ != "aaa-new"] == whole


def test_a_provider_that_changes_is_found_by_its_new_words_only(index: Index) -> None:
    index.put(listed("hidrive", "Quagga"))
    assert index.find(Wanted("quagga"), 10).ids == ["hidrive"]
    assert index.find(Wanted("strato"), 10).ids == []

    index.drop("hidrive")
    assert index.find(Wanted("quagga"), 10).ids == []
    assert len(index) == 6


def test_a_name_is_known_however_it_is_spaced_and_spelt(index: Index) -> None:
    assert index.named("creditmutuel", "import") == "credit-mutuel"
    assert index.named("creditmutuel", "export") is None
    assert index.named("lapostearchives", "export") == "archive"
    assert index.named("next", "export") is None
    assert index.named("", "export") is None


def test_folding_takes_accents_and_case_away() -> None:
    assert folded("Crédit Müßig Łódź Æ") == "credit mussig lodz ae"
