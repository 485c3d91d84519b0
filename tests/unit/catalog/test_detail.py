"""What a provider is shown with, beside what its manifest says outright."""

from types import SimpleNamespace
from typing import Any

import pytest

from catalog.api import _detail
from catalog.lifecycle import Glance, State
from providers.manifests import CATALOGUE, load
from schemas.manifest import Manifest
from schemas.schedules import NIGHT, Quiet

CODE = {"ask": "code_sent", "fields": [{"name": "code", "label": "Code", "type": "code"}]}


@pytest.mark.parametrize(
    ("name", "asked", "every", "quiet"),
    [
        ("paperless-ngx", [], None, ()),
        ("paperless-ngx", [CODE], "P1D", (NIGHT,)),
        ("imap", [], "PT1H", ()),
        ("imap", [CODE], "PT1H", (NIGHT,)),
    ],
)
def test_forms_begin_with_a_night_without_runs_where_a_code_may_be_asked(
    name: str, asked: list[Any], every: str | None, quiet: tuple[Quiet, ...]
) -> None:
    wire = load(CATALOGUE / name).wire()
    manifest = Manifest.model_validate(wire | {"login": [*wire["login"], *asked]})
    catalogue: Any = SimpleNamespace(url="http://catalog", can_be_chosen=lambda _: True)
    shown = _detail(catalogue, Glance(name, State.PUBLISHED, {}), 1, manifest, "en").schedule

    assert (shown.every, shown.quiet) == (every, quiet) if shown is not None else (every, quiet) == (None, ())
