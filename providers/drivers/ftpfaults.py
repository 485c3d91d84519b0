"""What FTP says went wrong, in the words of `providers.errors`. No I/O here."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aioftp
from aioftp.errors import InvalidCommand

from providers.egress import untrusted
from providers.errors import Kind, ProviderError, broken_off
from providers.words import words
from schemas.reasons import Reason

_CODES: dict[str, tuple[Kind, Reason, str]] = {
    "332": ("auth", Reason.CREDENTIALS_WRONG, "login_refused"),
    "430": ("auth", Reason.CREDENTIALS_WRONG, "login_refused"),
    "450": ("transient", Reason.LOCKED, "locked"),
    "452": ("config", Reason.QUOTA_FULL, "no_space"),
    "522": ("config", Reason.PROVIDER_CHANGED, "no_ftp_tls"),
    "530": ("auth", Reason.CREDENTIALS_WRONG, "login_refused"),
    "532": ("config", Reason.PERMISSION_MISSING, "not_allowed"),
    "533": ("config", Reason.PROVIDER_CHANGED, "no_ftp_tls"),
    "534": ("config", Reason.PROVIDER_CHANGED, "no_ftp_tls"),
    "550": ("config", Reason.PERMISSION_MISSING, "not_allowed"),
    "552": ("config", Reason.QUOTA_FULL, "no_space"),
    "553": ("config", Reason.PERMISSION_MISSING, "not_allowed"),
}
"""RFC 959 §4.2, RFC 4217. `550` and `553` say "no" to anything: whether the folder is there is asked then."""
_FULL = ("no space", "quota", "disk full", "insufficient storage")


def of_code(error: aioftp.StatusCodeError, host: str) -> ProviderError:
    """The error of a reply. What the server wrote is looked through, never repeated."""
    code, said = str(error.received_codes[-1]), " ".join(error.info).lower()
    if code[:1] in "45" and any(each in said for each in _FULL):
        return ProviderError("config", Reason.QUOTA_FULL, words("no_space"))
    if code in _CODES:
        kind, reason, key = _CODES[code]
        return ProviderError(kind, reason, words(key))
    if code.startswith("50"):
        return ProviderError("config", Reason.PROVIDER_CHANGED, words("not_offered"))
    if code.startswith("5"):
        return ProviderError("item_permanent", Reason.DOCUMENT_REFUSED, words("refused"))
    return broken_off(host)


@contextmanager
def faults(host: str) -> Iterator[None]:
    """Raise what aioftp, TLS and sockets raise as `ProviderError`, without their texts."""
    try:
        yield
    except aioftp.StatusCodeError as error:
        raise of_code(error, host) from None
    except InvalidCommand:
        raise ProviderError("item_permanent", Reason.INVALID, words("bad_name")) from None
    except ssl.SSLError as error:
        if isinstance(error, ssl.SSLCertVerificationError):
            raise untrusted(host) from None
        raise broken_off(host) from None
    except (OSError, EOFError, TimeoutError, ValueError, IndexError):  # lines and replies that are none
        raise broken_off(host) from None
