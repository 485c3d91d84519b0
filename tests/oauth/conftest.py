"""An authorization server that we did not write, once for the tests of OAuth."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from joserfc.jwk import ECKey

from tests.oauth.walking import CALLBACK
from tests.peers.oidc_server import NoNode, OidcServer, oidc_server

CLIENT = {
    "client_id": "paperbus",
    "client_secret": "the operator's secret: 100%",
    "redirect_uris": [CALLBACK],
    "grant_types": [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
    "token_endpoint_auth_method": "client_secret_basic",
}
KEY = ECKey.generate_key("P-256", {"kid": "ours", "alg": "ES256", "use": "sig"})
BY_KEY = {name: value for name, value in CLIENT.items() if name != "client_secret"} | {
    "client_id": "by-key",
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": {"keys": [KEY.as_dict(private=False)]},
}
BY_POST = CLIENT | {"client_id": "by-post", "token_endpoint_auth_method": "client_secret_post"}


@pytest.fixture(scope="session")
def authority() -> Iterator[OidcServer]:
    """`oidc-provider`, which rotates its refresh tokens."""
    try:
        with oidc_server([CLIENT, BY_POST, BY_KEY], scopes=["files"]) as server:
            yield server
    except NoNode as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
