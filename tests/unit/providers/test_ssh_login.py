"""Keys that do not open are told apart before anything is connected."""

import asyncssh
import pytest

from providers.drivers.ssh import connected
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.reasons import Reason

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
SEALED = (
    asyncssh.generate_private_key("ssh-ed25519").export_private_key(passphrase="right", rounds=50).decode()
)


async def refused(**settings: str) -> ProviderError:
    everything = {"host": "localhost", "username": "jane", "host_key": HOST_KEY, **settings}
    async with Reach() as reach:
        with pytest.raises(ProviderError) as caught:
            await connected({name: value for name, value in everything.items() if value}, reach)
    return caught.value


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"private_key": SEALED, "passphrase": "wrong"}, "passphrase"),
        ({"private_key": SEALED}, "private_key"),
        ({"private_key": "not a key"}, "private_key"),
        ({"private_key": HOST_KEY}, "private_key"),
    ],
)
async def test_a_key_that_does_not_open_names_its_field(settings: dict[str, str], field: str):
    error = await refused(**settings)

    assert (error.kind, error.reason, error.field) == ("auth", Reason.CREDENTIALS_WRONG, field)


async def test_a_key_that_opens_goes_on_to_the_guard_which_refuses_an_unlisted_host():
    assert (await refused(private_key=SEALED, passphrase="right")).reason is Reason.ADDRESS_REFUSED


async def test_without_a_confirmed_key_nothing_is_connected():
    assert (await refused(password="secret", host_key="")).reason is Reason.CERTIFICATE_INVALID
