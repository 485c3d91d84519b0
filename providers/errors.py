"""What can go wrong at a provider, classed once (DESIGN §7). What follows from it is the services' to decide.

* ProviderError: `kind` says how to go on, `reason` is the contract's word for it, `message` is for the
customer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from providers.moments import moment
from providers.words import words
from schemas.fields import Words
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
        text: a sentence for the customer, without secrets; a plain one is English.
        retry_after: seconds to wait, where the provider said so (at most `LONGEST_WAIT`).
        field: the credential or option that is to blame, where one is.
    """

    def __init__(
        self,
        kind: Kind,
        reason: Reason,
        text: Words | str,
        *,
        retry_after: float | None = None,
        field: str | None = None,
    ) -> None:
        self.text = Words(en=text) if isinstance(text, str) else text
        super().__init__(kind, reason, self.text.en)
        self.kind: Kind = kind
        self.reason = reason
        self.retry_after = retry_after
        self.field = field

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.message}"

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.text.en

    @property
    def later(self) -> bool:
        """Whether the same may work later without anybody changing anything."""
        return self.kind in ("rate_limited", "transient")

    @property
    def of_account(self) -> Reason:
        """The reason where it is about the whole account: a locked file passes, and is no locked account."""
        return Reason.PROVIDER_DOWN if self.later and self.reason is Reason.LOCKED else self.reason


class Prompted(ProviderError):
    """The server itself asks something that nobody has answered yet; `asks` is its question."""

    def __init__(self, asks: str) -> None:
        super().__init__("auth", Reason.CHALLENGE_NEEDED, words("challenge_needed"))
        self.asks = asks


_TABLE: dict[int, tuple[Kind, Reason, str]] = {
    202: (
        "transient",
        Reason.PROVIDER_DOWN,
        "trouble",
    ),  # what was asked for is not ready yet
    400: ("item_permanent", Reason.DOCUMENT_REFUSED, "not_understood"),
    401: ("auth", Reason.CREDENTIALS_WRONG, "login_refused"),
    402: ("config", Reason.ACTION_ON_SITE, "pay_first"),
    403: ("config", Reason.PERMISSION_MISSING, "not_allowed"),
    404: ("config", Reason.DESTINATION_MISSING, "no_folder"),
    405: ("config", Reason.PROVIDER_CHANGED, "not_offered"),
    408: ("transient", Reason.PROVIDER_DOWN, "too_slow"),
    409: ("config", Reason.DESTINATION_MISSING, "no_folder"),
    410: ("config", Reason.DESTINATION_MISSING, "no_folder"),
    412: ("conflict", Reason.EXISTS, "exists"),
    413: ("item_permanent", Reason.DOCUMENT_REFUSED, "too_large"),
    415: ("item_permanent", Reason.DOCUMENT_REFUSED, "type_refused"),
    422: ("item_permanent", Reason.DOCUMENT_REFUSED, "refused"),
    423: ("transient", Reason.LOCKED, "locked"),
    429: ("rate_limited", Reason.RATE_LIMITED, "pause"),
    507: ("config", Reason.QUOTA_FULL, "no_space"),
}


def of_status(
    status: int, rules: Iterable[ErrorRule] = (), *, body: str = "", wait: float | None = None
) -> ProviderError:
    """The error of an HTTP answer: the manifest's first matching rule, else the default table (RFC 9110,
    4918).

    Args:
        status: the answer's status, 300 or more; or 202, for what is not ready yet.
        rules: the manifest's refinements. They can call a 401 or 403 another trouble, never none.
        body: the beginning of the answer, looked through by the rules' `contains`; never repeated.
        wait: seconds that the provider asked for, see `waiting`.
    """
    kind, reason, key = _default(status)
    for rule in rules:
        if rule.status == status and (rule.contains is None or rule.contains in body):
            return ProviderError(
                rule.kind, rule.reason, rule.message or words(key, status=status), retry_after=wait
            )
    return ProviderError(kind, reason, words(key, status=status), retry_after=wait)


def _default(status: int) -> tuple[Kind, Reason, str]:
    if status in _TABLE:
        return _TABLE[status]
    if status < 400:
        return "config", Reason.PROVIDER_CHANGED, "elsewhere"
    if status < 500:
        return "item_permanent", Reason.DOCUMENT_REFUSED, "refused"
    return "transient", Reason.PROVIDER_DOWN, "trouble"


def waiting(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a `Retry-After` (RFC 9110 §10.2.3: seconds or a date), between 0 and `LONGEST_WAIT`.

    None where the header is missing or unreadable, or is a date and `now` is unknown.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    at = moment(text)
    if at is None or now is None:
        return None
    return min(max((at - now).total_seconds(), 0.0), LONGEST_WAIT)


def taken() -> ProviderError:
    """The name is taken; nothing was changed."""
    return ProviderError("conflict", Reason.EXISTS, words("exists"))


def moved_on() -> ProviderError:
    """The file that was to be replaced is another one by now."""
    return ProviderError("conflict", Reason.REVISION_CONFLICT, words("moved_on"))


def broken_off(host: str) -> ProviderError:
    """The connection ended, or nothing came in time."""
    return ProviderError("transient", Reason.PROVIDER_DOWN, words("broken_off", host=host))
