"""What a driver is opened with: credentials, and the manifest's settings filled from them."""

from typing import Any, cast

import pytest

from providers.drivers import KINDS, identity_of, open_driver, settings
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import Reason


def manifest(kind: str = "webdav", identity: str | None = None, **given: Any) -> Manifest:
    return Manifest.model_validate(
        {
            "id": "subject",
            "name": "Subject",
            "summary": "Under test.",
            "categories": ["storage"],
            "directions": ["export"],
            "login": [{"ask": "credentials", "fields": [{"name": "username", "label": "User"}]}],
            "driver": {"kind": kind, "settings": given, "identity": identity},
        }
    )


def test_a_setting_is_filled_from_the_credentials_and_stands_over_them():
    filled = settings(
        manifest(url="https://dav.example/users/{username}/", port=22), {"username": "jane", "url": "x"}
    )

    assert filled == {"username": "jane", "url": "https://dav.example/users/jane/", "port": 22}


def test_a_value_cannot_leave_its_place_in_an_address():
    filled = settings(manifest(url="https://dav.example/{username}/f"), {"username": "../?x#y/@evil.example"})

    assert filled["url"] == "https://dav.example/..%2F%3Fx%23y%2F%40evil.example/f"


def test_an_address_that_the_customer_gives_may_begin_one():
    pattern, given = (
        "{url}/remote.php/dav/files/{username}",
        {"url": "https://cloud.example/", "username": "jane/../x y"},
    )

    assert settings(manifest(url=pattern), given)["url"] == (
        "https://cloud.example/remote.php/dav/files/jane%2F..%2Fx%20y"
    )


def test_a_value_cannot_choose_the_host_of_an_address():
    filled = settings(manifest(url="https://{username}.dav.example/"), {"username": "evil.example/"})

    assert filled["url"] == "https://evil.example%2F.dav.example/"


def test_a_setting_that_is_one_field_is_that_field():
    assert settings(manifest(root="{folder}"), {"folder": "a b"})["root"] == "a b"
    assert settings(manifest(url="{url}"), {"url": "https://x.example/a"})["url"] == "https://x.example/a"


def test_the_identity_is_the_manifests_pattern_or_the_drivers_word():
    assert identity_of(manifest(identity="{username}@box"), {"username": "jane"}, "other") == "jane@box"
    assert identity_of(manifest(), {"username": "jane"}, "jane@dav") == "jane@dav"


async def test_a_driver_of_a_later_release_is_not_set_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(cast(dict[str, Any], KINDS), "webdav")
    async with Reach() as reach:
        with pytest.raises(ProviderError) as caught:
            open_driver(manifest(), {}, {}, reach)

    assert caught.value.reason is Reason.NOT_SET_UP
