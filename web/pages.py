"""Pages: Jinja2 templates in three languages, and the files beside them. It knows no service.

Autoescaped, StrictUndefined: a value that a template misses is a failure in a test, not a gap on a page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from schemas.reasons import Locale
from web.languages import language
from web.security import policy

HERE = Path(__file__).parent
STATIC = HERE / "static"
HUES = 12


class Pages:
    """Renders the templates of one web face: its own folder first, then what both faces share."""

    def __init__(self, folder: Path, frame_ancestors: Sequence[str] = (), static: Path | None = None) -> None:
        """`static` holds files of this face alone, beside the shared ones."""
        self._folder = folder
        self._static = static
        self._frame_ancestors = tuple(frame_ancestors)
        self._spoken: dict[Locale, Environment] = {}

    def render(
        self,
        name: str,
        locale: Locale,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        form_action: Sequence[str] = (),
    ) -> Response:
        """The template `name` with `values`, in `locale`. `form_action`: origins its forms may end at."""
        text = self._speaking(locale).get_template(name).render(locale=locale, **values)
        headers = {
            "Content-Security-Policy": policy(form_action, self._frame_ancestors),
            "Content-Language": locale,
        }
        return HTMLResponse(text, status, headers)

    def _speaking(self, locale: Locale) -> Environment:
        if locale not in self._spoken:
            self._spoken[locale] = environment(self._folder, locale, self._static)
        return self._spoken[locale]


@lru_cache
def environment(folder: Path, locale: Locale, static: Path | None = None) -> Environment:
    """The templates of `folder` and the shared ones, speaking one language."""
    made = Environment(
        loader=FileSystemLoader([folder, HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(  # type: ignore[attr-defined]  # added by the i18n extension
        language(locale).translations, newstyle=True
    )
    made.globals["static"] = partial(static_address, folder=static)
    made.filters |= {"initials": initials, "hue": hue}
    return made


class StaticPages(StaticFiles):
    """Styles and scripts. Their addresses carry a hash of their contents; browsers keep them for a year."""

    def __init__(self, *folders: Path) -> None:
        """`folders` are of one face alone; what both share comes after them."""
        super().__init__(directory=STATIC)
        self.all_directories = [*folders, STATIC]

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


@lru_cache
def static_address(name: str, folder: Path | None = None) -> str:
    """Where a file of a `static/` folder is, with its hash."""
    own = folder / name if folder else STATIC / name
    digest = hashlib.sha256((own if own.exists() else STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


def initials(name: str) -> str:
    """Two letters that stand for a name, as on a monogram: `Nextcloud` NE, `Hetzner Storage Box` HS."""
    words = re.findall(r"\w+", name)
    return (words[0][:1] + words[1][:1] if len(words) > 1 else name.strip()[:2]).upper() or "?"


def hue(name: str) -> int:
    """Which of the twelve colours stands for a name: the same one everywhere."""
    return hashlib.sha256(name.encode()).digest()[0] % HUES
