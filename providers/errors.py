"""What can go wrong at a provider, classed once (DESIGN §7). What follows from it is the services' to decide.

* ProviderError: `kind` says how to go on, `reason` is the contract's word for it, `message` is for the
customer.
"""

from __future__ import annotations

import email.utils
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from schemas.manifest import ErrorRule
from schemas.reasons import Reason

Kind = Literal["auth", "config", "rate_limited", "transient", "item_permanent", "conflict"]
"""auth: the login no longer works. config: the connection must be changed. rate_limited, transient: later.
item_permanent: this document never. conflict: the name is taken, or was changed by somebody else."""

LONGEST_WAIT = 3600.0
"""Seconds. A provider that asks for a longer wait is asked again after this one."""


class ProviderError(Exception):
    """A provider did not do what was asked.

    Args:
        kind: how to go on, see `Kind`.
        reason: the word of CONTRACT §5.
        message: a sentence for the customer, without secrets.
        retry_after: seconds to wait, where the provider said so (at most `LONGEST_WAIT`).
        field: the credential or option that is to blame, where one is.
    """

    def __init__(
        self,
        kind: Kind,
        reason: Reason,
        message: str,
        *,
        retry_after: float | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(kind, reason, message)
        self.kind: Kind = kind
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.field = field

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.message}"

    @property
    def later(self) -> bool:
        """Whether the same may work later without anybody changing anything."""
        return self.kind in ("rate_limited", "transient")


_TABLE: dict[int, tuple[Kind, Reason, str]] = {
    400: ("item_permanent", Reason.DOCUMENT_REFUSED, "The provider did not understand what it was sent."),
    401: ("auth", Reason.CREDENTIALS_WRONG, "The provider did not accept the login."),
    402: ("config", Reason.ACTION_ON_SITE, "The provider wants the account to be paid for first."),
    403: ("config", Reason.PERMISSION_MISSING, "The account may not do this at the provider."),
    404: ("config", Reason.DESTINATION_MISSING, "The folder does not exist at the provider."),
    405: ("config", Reason.PROVIDER_CHANGED, "The provider does not offer this at the address given."),
    408: ("transient", Reason.PROVIDER_DOWN, "The provider took too long."),
    409: ("config", Reason.DESTINATION_MISSING, "The folder above does not exist at the provider."),
    410: ("config", Reason.DESTINATION_MISSING, "The folder is no longer there."),
    412: ("conflict", Reason.EXISTS, "Something of this name is there already, or was changed meanwhile."),
    413: ("item_permanent", Reason.DOCUMENT_REFUSED, "The document is too large for the provider."),
    415: ("item_permanent", Reason.DOCUMENT_REFUSED, "The provider does not take this type of document."),
    422: ("item_permanent", Reason.DOCUMENT_REFUSED, "The provider did not take this document."),
    423: ("transient", Reason.LOCKED, "The file or folder is locked by somebody at the moment."),
    429: ("rate_limited", Reason.RATE_LIMITED, "The provider asked for a pause."),
    507: ("config", Reason.QUOTA_FULL, "There is no space left at the provider."),
}


def of_status(
    status: int, rules: Iterable[ErrorRule] = (), *, body: str = "", wait: float | None = None
) -> ProviderError:
    """The error of an HTTP answer: the manifest's first matching rule, else the default table (RFC 9110,
    4918).

    Args:
        status: the answer's status, 300 or more.
        rules: the manifest's refinements. They can call a 401 or 403 another trouble, never none.
        body: the beginning of the answer, looked through by the rules' `contains`; never repeated.
        wait: seconds that the provider asked for, see `waiting`.
    """
    kind, reason, message = _default(status)
    for rule in rules:
        if rule.status == status and (rule.contains is None or rule.contains in body):
            message = rule.message.en if rule.message else message
            return ProviderError(rule.kind, rule.reason, message, retry_after=wait)
    return ProviderError(kind, reason, message, retry_after=wait)


def _default(status: int) -> tuple[Kind, Reason, str]:
    if status in _TABLE:
        return _TABLE[status]
    if status < 400:
        return (
            "config",
            Reason.PROVIDER_CHANGED,
            "The provider sends us to another address; we do not follow. Enter the final address.",
        )
    if status < 500:
        return "item_permanent", Reason.DOCUMENT_REFUSED, f"The provider refused (status {status})."
    return "transient", Reason.PROVIDER_DOWN, f"The provider has trouble of its own (status {status})."


def waiting(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a `Retry-After` (RFC 9110 §10.2.3: seconds or a date), between 0 and `LONGEST_WAIT`.

    None where the header is missing or unreadable, or is a date and `now` is unknown.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if now is None:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), LONGEST_WAIT)


def taken() -> ProviderError:
    """The name is taken; nothing was changed."""
    return ProviderError("conflict", Reason.EXISTS, "Something of this name is there already.")


def moved_on() -> ProviderError:
    """The file that was to be replaced is another one by now."""
    return ProviderError("conflict", Reason.REVISION_CONFLICT, "The file was changed by somebody else.")


def broken_off(host: str) -> ProviderError:
    """The connection ended, or nothing came in time."""
    return ProviderError("transient", Reason.PROVIDER_DOWN, f"{host} broke off or did not answer in time.")
