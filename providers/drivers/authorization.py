"""The `Authorization` header of drivers that speak HTTP: a bearer token if there is one, else Basic.

RFC 6750, RFC 7617.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any


def authorization(settings: Mapping[str, Any]) -> str:
    """The header for a driver's settings: with `access_token`, or `username` and `password`."""
    token = settings.get("access_token")
    if token:
        return f"Bearer {token}"
    pair = f"{settings.get('username') or ''}:{settings.get('password') or ''}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
