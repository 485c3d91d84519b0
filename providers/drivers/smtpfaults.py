"""What a mail server says went wrong (RFC 5321 §4.2, 3463), in the words of `providers.errors`. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import aiosmtplib

from providers.egress import untrusted
from providers.errors import Kind, ProviderError, broken_off
from providers.words import words
from schemas.reasons import Reason

At = Literal["login", "sender", "addressee", "letter"]
"""What was answered to."""
_ENHANCED = re.compile(r"\b[245]\.(\d{1,3})\.(\d{1,3})\b")
_FINAL: dict[At, tuple[Kind, Reason, str, str | None]] = {
    "login": ("auth", Reason.CREDENTIALS_WRONG, "login_refused", None),
    "sender": ("config", Reason.PERMISSION_MISSING, "no_sender", "sender"),
    "addressee": ("config", Reason.DESTINATION_MISSING, "no_addressee", "to"),
    "letter": ("item_permanent", Reason.DOCUMENT_REFUSED, "refused", None),
}
_TOO_LARGE = ("3.4", "2.3")
_FULL = ("2.2", "3.1")


def of_reply(at: At, code: int, said: str, host: str) -> ProviderError:
    """The error of a reply. What the server wrote is looked through, never repeated."""
    detail = ".".join(found.groups()) if (found := _ENHANCED.search(said)) else ""
    if at == "login":
        return _of_login(code, host)
    if 400 <= code < 500:
        slow = detail.startswith("7.")
        return (
            ProviderError("rate_limited", Reason.RATE_LIMITED, words("pause")) if slow else broken_off(host)
        )
    if (code == 552 and detail not in _FULL) or detail in _TOO_LARGE:
        return ProviderError("item_permanent", Reason.DOCUMENT_REFUSED, words("too_large"))
    if code in (530, 538):  # it wants a login, or TLS before one
        at = "login"
    kind, reason, key, field = _FINAL[at]
    return ProviderError(kind, reason, words(key), field=field)


def _of_login(code: int, host: str) -> ProviderError:
    if 400 <= code < 500:
        return broken_off(host)
    if code in (502, 503, 504):
        return ProviderError("config", Reason.PROVIDER_CHANGED, words("not_offered"))
    return ProviderError("auth", Reason.CREDENTIALS_WRONG, words("login_refused"))


@contextmanager
def faults(at: At, host: str) -> Iterator[None]:
    """Raise what aiosmtplib and sockets raise as `ProviderError`, without their texts."""
    try:
        yield
    except aiosmtplib.SMTPRecipientsRefused as error:
        worst = max(error.recipients, key=lambda one: -one.code)  # who may take it later, comes first
        raise of_reply("addressee", worst.code, worst.message, host) from None
    except aiosmtplib.SMTPResponseException as error:
        raise of_reply(at, error.code, error.message, host) from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        if "certificate" in str(error).lower():
            raise untrusted(host) from None
        raise broken_off(host) from None
    except (ValueError, UnicodeError):
        raise ProviderError("config", Reason.INVALID, words("no_address"), field="to") from None
