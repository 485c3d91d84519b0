"""What SSH and SFTP say went wrong, in the words of `providers.errors`. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

from providers.errors import Kind, ProviderError, broken_off
from providers.words import words
from schemas.reasons import Reason


@contextmanager
def faults(host: str) -> Iterator[None]:
    """Raise what asyncssh raises as `ProviderError`, without its texts: they may quote what was sent."""
    try:
        yield
    except asyncssh.SFTPError as error:
        raise _of_sftp(error, host) from None
    except asyncssh.Error as error:
        raise _of_ssh(error, host) from None
    except (OSError, TimeoutError):
        raise broken_off(host) from None


def _of_ssh(error: asyncssh.Error, host: str) -> ProviderError:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return ProviderError(
            "auth",
            Reason.CERTIFICATE_INVALID,
            words("other_host_key", host=host),
        )
    if isinstance(error, asyncssh.PermissionDenied):
        return ProviderError("auth", Reason.CREDENTIALS_WRONG, words("login_refused"))
    if isinstance(error, asyncssh.KeyExchangeFailed | asyncssh.ProtocolNotSupported):
        return ProviderError(
            "config",
            Reason.PROVIDER_CHANGED,
            words("no_ssh", host=host),
        )
    if isinstance(error, asyncssh.ChannelOpenError):
        return ProviderError("config", Reason.PERMISSION_MISSING, words("no_sftp", host=host))
    return broken_off(host)


def _of_sftp(error: asyncssh.SFTPError, host: str) -> ProviderError:
    if isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
        return broken_off(host)
    for kinds, kind, reason, key in _SFTP:
        if isinstance(error, kinds):
            return ProviderError(kind, reason, words(key))
    return ProviderError("item_permanent", Reason.DOCUMENT_REFUSED, words("refused"))


_SFTP: tuple[tuple[tuple[type[asyncssh.SFTPError], ...], Kind, Reason, str], ...] = (
    (
        (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory),
        "config",
        Reason.DESTINATION_MISSING,
        "no_folder",
    ),
    (
        (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect, asyncssh.SFTPCannotDelete),
        "config",
        Reason.PERMISSION_MISSING,
        "not_allowed",
    ),
    (
        (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded),
        "config",
        Reason.QUOTA_FULL,
        "no_space",
    ),
    (
        (asyncssh.SFTPFileAlreadyExists,),
        "conflict",
        Reason.EXISTS,
        "exists",
    ),
    (
        (asyncssh.SFTPLockConflict, asyncssh.SFTPByteRangeLockConflict),
        "transient",
        Reason.LOCKED,
        "locked",
    ),
)
"""Versions 4 to 6 of the protocol tell more apart than 3, which nearly all servers speak."""


def no_space() -> ProviderError:
    """SFTP 3 has no word for a full disk: it is what a write that fails on an open file means."""
    return ProviderError("config", Reason.QUOTA_FULL, words("no_space"))
