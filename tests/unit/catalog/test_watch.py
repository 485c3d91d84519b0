"""Looking at folders of providers: what changed since the last look, a few at a time."""

from pathlib import Path
from typing import Any

from catalog.loader import Loader
from catalog.watch import SOME, Watch


def test_a_look_rests_after_every_few_folders_and_still_sees_each_change(tmp_path: Path) -> None:
    for number in range(2 * SOME + 1):
        (tmp_path / f"p{number}").mkdir()
        (tmp_path / f"p{number}" / "manifest.yaml").write_text("id: it")
    watch, rests = Watch([tmp_path]), list[float]()

    assert len(watch.look(rests.append).changed) == 2 * SOME + 1
    assert len(rests) == 2
    assert watch.look(rests.append).changed == []

    (tmp_path / "p7" / "manifest.yaml").write_text("id: another")
    (tmp_path / "p8" / "manifest.yaml").unlink()
    looked = watch.look(rests.append)
    assert looked.changed == ["p7"]
    assert "p8" not in looked.there


class NoMore:
    """The duty, once it has gone to another replica."""

    def held(self) -> dict[str, Any]:
        return {}


async def test_what_was_seen_while_the_duty_went_is_left_to_who_has_it_now(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "manifest.yaml").write_text("id: acme")
    watch, nothing = Watch([tmp_path]), Any
    loader = Loader(watch, nothing, nothing, NoMore(), nothing)  # type: ignore[arg-type]  # none is asked

    await loader.look()

    assert not loader.looked
    assert watch.look(list[float]().append).changed == ["acme"], "seen anew, once the duty is back"
