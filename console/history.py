"""What happened to an account, in words: one sentence for each event of its timeline. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.spoken import Spoken
from web.languages import _

WORDS = {
    "AuthChallengeIssued": ("calm", "key", _("The provider asked for something: %(title)s")),
    "AuthChallengeAnswered": ("calm", "pen", _("An answer was sent to the provider")),
    "AuthChallengeExpired": ("warn", "clock", _("Nobody answered the provider in time")),
    "AuthSessionEnded": ("calm", "key", _("The login ended")),
    "ConnectionAuthorized": ("good", "check", _("Logged in as %(identity)s")),
    "ConnectionRejected": ("warn", "stop", _("It was not completed: %(message)s")),
    "ConnectionSaved": ("good", "check", _("Saved as %(name)s")),
    "ConnectionChanged": ("calm", "pen", _("Settings were changed")),
    "ConnectionPaused": ("calm", "pause", _("Paused")),
    "ConnectionResumed": ("good", "play", _("Resumed")),
    "ConnectionRemoved": ("calm", "stop", _("Removed")),
    "ConnectionNeedsAttention": ("bad", "alert", _("It needed somebody: %(title)s")),
    "ConnectionRecovered": ("good", "check", _("It works again")),
    "ConnectionExpiring": ("warn", "clock", _("The login runs out soon: %(title)s")),
    "RequestRefused": ("warn", "stop", _("A request was not carried out: %(message)s")),
}
ENDED = {
    "authorized": ("good", "check", _("The login succeeded")),
    "cancelled": ("calm", "stop", _("The login was cancelled")),
    "expired": ("warn", "clock", _("The login ran out of time")),
    "failed": ("warn", "alert", _("The login did not succeed: %(message)s")),
    "exhausted": ("warn", "alert", _("The login did not succeed: %(message)s")),
}
OTHER = ("calm", "help", _("Something else happened"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    at: str
    tone: str
    icon: str
    text: str
    by: str | None


def entry(told: Mapping[str, Any], spoken: Spoken) -> Entry:
    """An event of the timeline as a sentence."""
    data = told["data"]
    tone, icon, text = WORDS.get(told["what"], OTHER)
    if told["what"] == "AuthSessionEnded":
        tone, icon, text = ENDED.get(data.get("result", ""), (tone, icon, text))
    values = {name: data.get(name) or "–" for name in ("title", "identity", "message", "name")}
    return Entry(told["at"], tone, icon, spoken.said(text, **values), told.get("actor"))
