"""The points at which fault tests kill and freeze services are there: a renaming is noticed at once."""

from __future__ import annotations

import importlib
import inspect

import pytest

from tests.faults.mortal import LATE, POINTS

PLACES = {place[:3] for points in POINTS.values() for place in points.values()} | set(LATE.values())


@pytest.mark.parametrize(("module", "kind", "method"), sorted(PLACES))
def test_a_point_is_a_step_that_is_awaited(module: str, kind: str, method: str) -> None:
    owner = getattr(importlib.import_module(module), kind)

    assert inspect.iscoroutinefunction(getattr(owner, method))
