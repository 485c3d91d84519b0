"""A new provider to begin with, and a list of those that are there. It overwrites nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from providers.extends import FILE
from providers.logos import monogram
from providers.manifests import Broken, Complaint, folders, load
from schemas.manifest import Manifest

_STARTER: Final = """\
# A provider is this file and the logo beside it. Say what is wrong with it: paperbus provider check {id}
id: {id}
name: {name}
summary:
  en: {summary_en}
  fr: {summary_fr}
  de: {summary_de}
# Other words that people search for.
aliases: []
# Where it is at home, such as [de, at]. None is everywhere.
countries: []

# Everything that is not said here is as `webdav` says it: the login, the options, the driver.
# Others to begin with: s3, sftp, nextcloud, or the presets `files` (options) and `region` (S3 by region).
extends: webdav

# Changes to the fields that the login asks for, by name.
fields:
  url:
    placeholder: https://dav.example.com
  password:
    label: {{en: App password, fr: Mot de passe d'application, de: App-Passwort}}

# The driver's settings. A fixed address: url: "https://dav.example.com/{{username}}"
driver:
  settings:
    # true where the server shows a file only once it is whole, as Nextcloud does.
    atomic_put: false

limits:
  concurrency: 4
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One provider in a folder of providers: its manifest, or what is wrong with it."""

    folder: Path
    manifest: Manifest | None
    complaints: tuple[Complaint, ...] = ()


def new(name: str, where: Path) -> Path:
    """Write a starter for a provider called `name` into a folder of its own in `where`. Returns that folder.

    Raises:
        ValueError: no id can be made of the name.
        FileExistsError: there is such a folder already.
    """
    provider_id = id_of(name)
    folder = where / provider_id
    if folder.exists():
        raise FileExistsError(f"{folder} is there already; choose another name, or edit what is there.")
    texts = {
        "name": name,
        "summary_en": f"Documents to {name}.",
        "summary_fr": f"Des documents vers {name}.",
        "summary_de": f"Belege zu {name}.",
    }
    folder.mkdir(parents=True)
    quoted = {key: _quoted(text) for key, text in texts.items()}
    (folder / FILE).write_text(_STARTER.format(id=provider_id, **quoted), encoding="utf-8")
    (folder / "logo.svg").write_text(monogram(name), encoding="utf-8")
    return folder


def id_of(name: str) -> str:
    """The id that a name makes: `Crédit Müßig & Co` becomes `credit-mussig-co`.

    Raises:
        ValueError: it holds no letter or digit of the Latin alphabet.
    """
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    made = "-".join(re.findall(r"[a-z0-9]+", plain))[:64].strip("-")
    if not made:
        raise ValueError("A provider's name needs a letter or a digit, so that its id can be made of it.")
    return made


def entries(roots: Iterable[Path]) -> Iterator[Entry]:
    """The providers in these folders, by name of their folder.

    Raises:
        OSError: one of the folders cannot be read.
    """
    for root in roots:
        for folder in folders(root):
            try:
                yield Entry(folder, load(folder))
            except Broken as broken:
                yield Entry(folder, None, broken.complaints)


def _quoted(text: str) -> str:
    """A text as YAML, in quotes where it needs them."""
    return yaml.safe_dump(text, allow_unicode=True, width=1000).removesuffix("...\n").strip()
