"""Languages of the pages: catalogs read from `.po` files, times and lists in words. It renders no page.

The catalogs are compiled in memory when first used, so that a clean clone needs no build step. English is the
language of the source: what a catalog lacks is shown in English.
"""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final, get_args

from babel.core import negotiate_locale
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from schemas.reasons import Locale

LOCALES: Final[tuple[Locale, ...]] = get_args(Locale)
CATALOGS = Path(__file__).parent / "catalogs"


def _(message: str) -> str:
    """Marks a text for the catalogs, where it is said later, in a page's language."""
    return message


@dataclass(frozen=True, slots=True)
class Language:
    """One language, ready to speak."""

    locale: Locale
    translations: gettext.NullTranslations

    def said(self, message: str, /, **values: object) -> str:
        """`message` in this language, with `%(name)s` filled in."""
        words = self.translations.gettext(message)
        return words % values if values else words

    def listed(self, names: list[str]) -> str:
        """`a, b and c`."""
        return format_list(names, locale=self.locale)


@lru_cache
def language(locale: Locale) -> Language:
    """The language of `locale`; read once."""
    path = CATALOGS / f"{locale}.po"
    if not path.exists():
        return Language(locale, gettext.NullTranslations())
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale))
    compiled.seek(0)
    return Language(locale, gettext.GNUTranslations(compiled))


def preferred(accept_language: str) -> Locale:
    """The language that a browser's `Accept-Language` prefers (RFC 9110 §12.5.4); English if none is ours."""
    weighed: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:20]:
        tag, _, weight = part.partition(";q=")
        try:
            weighed.append((float(weight or 1), tag.strip().replace("-", "_")))
        except ValueError:
            continue
    wished = [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]
    found = negotiate_locale([tag[:2].lower() for tag in wished], LOCALES)
    return next((locale for locale in LOCALES if locale == found), "en")
