"""What keeps catalog from starting."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.app import build
from kit.settings import Settings, SettingsError


def test_a_folder_of_providers_that_is_not_there_stops_the_start_and_is_named(tmp_path: Path) -> None:
    away = tmp_path / "not-mounted"

    with pytest.raises(SettingsError, match=f"PAPERBUS_PROVIDERS names {away}, which is no folder"):
        build(Settings.load({"PAPERBUS_PROVIDERS": str(away)}))
