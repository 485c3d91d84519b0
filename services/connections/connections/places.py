"""Where the secrets of a login belong, so that none opens anywhere else. It seals nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connections.lifecycle.things import Connection
from connections.vault import Place, credentials_place


def answer_place(connection: Connection, challenge_id: str) -> Place:
    """What somebody answered, until it was tried."""
    return Place(connection.account, connection.id, f"answer/{challenge_id}", 1)


def machine_place(connection: Connection, fence: int) -> Place:
    """The state of the step machine, as the worker with `fence` left it."""
    return Place(connection.account, connection.id, f"login/{connection.login.session_id}", fence)


def new_credentials_place(connection: Connection) -> Place:
    """Credentials that were just verified: they count as the next revision."""
    return credentials_place(connection.account, connection.id, connection.credentials_revision + 1)


def kept_credentials_place(document: Mapping[str, Any]) -> Place:
    """Those of a stored connection."""
    return credentials_place(document["account"], document["_id"], document["credentials_revision"])


def kept_found_place(document: Mapping[str, Any]) -> Place:
    """Those that wait for the platform's proof."""
    return credentials_place(document["account"], document["_id"], document["credentials_revision"] + 1)


def kept_machine_place(document: Mapping[str, Any]) -> Place:
    login = document["login"]
    return Place(document["account"], document["_id"], f"login/{login['session_id']}", login["machine_fence"])


def kept_answer_place(document: Mapping[str, Any]) -> Place:
    challenge = document["login"]["challenge"]
    return Place(document["account"], document["_id"], f"answer/{challenge['challenge_id']}", 1)


def token_place(account: str, connection: str, credentials_revision: int, renewals: int) -> Place:
    """Tokens: of one login, and of one renewal of them."""
    return Place(account, connection, f"token/{credentials_revision}", renewals)


def kept_token_place(document: Mapping[str, Any]) -> Place:
    token = document["token"]
    return token_place(document["account"], document["_id"], token["credentials_revision"], token["renewals"])


def kept_found_token_place(document: Mapping[str, Any]) -> Place:
    """Those that wait for the platform's proof."""
    token = document["login"]["found"]["token"]
    return token_place(document["account"], document["_id"], token["credentials_revision"], token["renewals"])


def kept_grant_place(number: int, document: Mapping[str, Any]) -> Place:
    """That of a grant that waits to be given back, counted from the oldest."""
    old = document["old_grants"][number]
    return token_place(document["account"], document["_id"], old["credentials_revision"], old["renewals"])
