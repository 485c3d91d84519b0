"""Every word of the pages is there in each language, with the same names to fill in."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from schemas.reasons import Locale
from web.languages import language, preferred

ROOT = Path(__file__).parents[3]
FOLDERS = ("web", "console", "services/connections/connections/window")
THE_SAME = (
    "optional", "Documents", "Document", "Action", "Options", "Archives", "Shops", "ERP", "Synchronisation",
)  # fmt: skip
"""Words that are the same in French or German too."""
METHODS = [("**.py", "python"), ("**.html", "jinja2")]


def messages() -> list[tuple[str, ...]]:
    """Every text that a page can say, singular and plural."""
    found = [text for folder in FOLDERS for _, _, text, _, _ in extract_from_dir(ROOT / folder, METHODS)]
    assert len(found) > 40
    return [text if isinstance(text, tuple) else (text,) for text in found]


@pytest.mark.parametrize("locale", ["fr", "de"])
def test_nothing_is_left_in_english(locale: Locale) -> None:
    the_same = {(word,) for word in THE_SAME}
    words = language(locale).translations
    said = {
        texts: [words.ngettext(*texts, n) for n in (1, 2)] if len(texts) > 1 else [words.gettext(*texts)]
        for texts in messages()
    }

    assert [
        texts for texts, translated in said.items() if set(texts) & set(translated) and texts not in the_same
    ] == []


@pytest.mark.parametrize("locale", ["fr", "de"])
def test_what_is_filled_in_is_the_same(locale: Locale) -> None:
    words = language(locale).translations

    for texts in messages():
        translated = words.ngettext(*texts, 2) if len(texts) > 1 else words.gettext(*texts)
        assert set(re.findall(r"%\(\w+\)s", translated)) == set(re.findall(r"%\(\w+\)s", texts[-1])), texts


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
        ("en;q=0.3, de-AT;q=0.8", "de"),
        ("es, it;q=0.9", "en"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("de;q=nonsense,fr", "fr"),
        (";;;,,,=q", "en"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_prefers(header: str, locale: str) -> None:
    assert preferred(header) == locale
