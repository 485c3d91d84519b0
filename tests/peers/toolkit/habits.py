"""Who may log in at the authorization server, and what it tells of them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from oauth2_provider.oauth2_validators import OAuth2Validator


class Anybody(ModelBackend):
    """By any password: what is tried is OAuth."""

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **_: Any) -> Any:
        """The user of this name."""
        return User.objects.get_or_create(username=username)[0] if username and password else None


class Claims(OAuth2Validator):
    """Tells the mail address, as most providers do."""

    oidc_claim_scope = None

    def get_additional_claims(self) -> dict[str, Any]:
        """By claim."""

        def address(request: Any) -> str:
            return f"{request.user.username}@firm.example"

        return {"email": address, "preferred_username": address}

    def validate_device_code(self, client_id: str, code: str, request: Any) -> str | None:
        """What became of a code: its oauthlib asks here of late, and nobody answered."""
        from oauth2_provider.models import get_device_grant_model
        from oauthlib.oauth2.rfc8628.grant_types import DeviceCodeGrant

        found = get_device_grant_model().objects.filter(device_code=code, client_id=client_id).first()
        if found is None or found.status != found.AUTHORIZED:
            return None if found is None else DeviceCodeGrant.DEVICE_CODE_PENDING
        request.user, request.scopes = found.user, found.scope.split()
        return str(DeviceCodeGrant.DEVICE_CODE_AUTHORIZED)
