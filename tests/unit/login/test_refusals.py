"""What an answer of a token endpoint means that brings no tokens. Nothing is connected to."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from providers.http import Answer
from providers.login.oauth.tokens import read, refusal
from schemas.oauth import OAuth
from schemas.reasons import Reason

CUSTOMERS = OAuth(token_url="https://login.example/t", client="customer")


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (403, b"<html>Denied by the proxy</html>", "transient", Reason.PROVIDER_DOWN),
        (403, b"", "transient", Reason.PROVIDER_DOWN),
        (403, b'["denied"]', "transient", Reason.PROVIDER_DOWN),
        (403, b'{"message": "denied"}', "auth", Reason.CREDENTIALS_WRONG),
        (403, b'{"error": "invalid_client"}', "auth", Reason.CREDENTIALS_WRONG),
        (401, b"", "auth", Reason.CREDENTIALS_WRONG),
    ],
)
def test_a_proxys_page_ends_no_grant_of_a_customers_own_client(
    status: int, body: bytes, kind: str, reason: Reason
) -> None:
    answer = Answer(status, CIMultiDict(), body)

    error = refusal(CUSTOMERS, answer, read(answer), "refresh_token")

    assert error is not None
    assert (error.kind, error.reason) == (kind, reason)
