"""Tries again, a few times and shortly, what is safe to do twice. Longer waits are the caller's."""

from __future__ import annotations

import stamina

from providers.errors import ProviderError
from schemas.reasons import Reason


def _passes_soon(error: Exception) -> bool:
    """A hiccup: not a refusal, not a wait that the provider named, not a host that is not there."""
    return (
        isinstance(error, ProviderError)
        and error.kind == "transient"
        and error.retry_after is None
        and error.reason is not Reason.HOST_UNREACHABLE
    )


def _is_locked(error: Exception) -> bool:
    return isinstance(error, ProviderError) and error.reason is Reason.LOCKED


steady = stamina.retry(
    on=_passes_soon, attempts=4, timeout=20.0, wait_initial=0.1, wait_max=2.0, wait_jitter=0.3
)
"""For steps that change nothing when repeated: looking, making a folder, removing our own rest."""

once_unlocked = stamina.retry(
    on=_is_locked, attempts=5, timeout=20.0, wait_initial=0.1, wait_max=1.0, wait_jitter=0.2
)
"""For writing under a name that is ours alone: a server may hold its lock a while after the line was cut."""
