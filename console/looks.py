"""How a connection looks to a customer: its state in words, colour and icon, and what mends it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from console.spoken import Spoken
from web.languages import _

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mend:
    """The one button that mends it: its words, and where it leads; `posts` where it asks for a change."""

    label: str
    path: str
    posts: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """A state. `rank` sorts a list: problems first."""

    rank: int
    tone: str
    """`good`, `busy`, `calm`, `warn` or `bad`: a colour."""
    icon: str
    text: str
    message: str | None = None
    mend: Mend | None = None


ROWS = {
    "pending": ("calm", "clock", _("Waiting")),
    "sending": ("busy", "turn", _("On its way")),
    "done": ("good", "check", _("Done")),
    "failed": ("warn", "again", _("To be tried again")),
    "rejected": ("bad", "stop", _("Refused")),
    "unknown": ("warn", "help", _("Unclear")),
    "skipped": ("calm", "minus", _("Not needed")),
}
"""States of a document, as tone, icon, word."""
FAILED = {
    "active": _("Tried again by itself"),
    "paused": _("Tried again once it is resumed"),
    "attention": _("Tried again once it works again"),
}
"""When a failed document is tried again, by how its connection stands; otherwise it is not."""
RUNS = {
    "waiting": ("calm", "clock", _("Waiting")),
    "running": ("busy", "turn", _("Running")),
    "done": ("good", "check", _("Done")),
    "failed": ("bad", "alert", _("Could not go on")),
    "stopped": ("warn", "stop", _("Stopped")),
}
OTHER = ("calm", "help", _("Unclear"))
DUE = {
    "schedule": _("by its interval"),
    "manual": _("asked for"),
    "catch_up": _("made up for"),
}
ROLES = {"admin": _("may change"), "member": _("may look"), "operator": _("may look")}
CATEGORIES = {
    "storage": _("Storage"),
    "accounting": _("Accounting"),
    "email": _("E-mail"),
    "shop": _("Shops"),
    "payment": _("Payments"),
    "bank": _("Banks"),
    "erp": _("ERP"),
    "archive": _("Archives"),
    "tax_adviser": _("Tax advisers"),
    "other": _("Other"),
}
MENDS = {
    "reauthenticate": _("Log in again"),
    "change_options": _("Choose another folder"),
    "visit_provider": _("Log in again"),
}
RUN_MENDS = {"quota_full", "permission_missing"}
"""Troubles that are over once they are settled at the provider: the next run shows it."""
OPEN = ("pending", "sending", "failed")
"""States of documents that still go by themselves."""


def waiting(counts: Mapping[str, int]) -> int:
    """How many documents still go by themselves."""
    return sum(counts.get(name, 0) for name in OPEN)


def look(connection: Json, standing: Json | None, spoken: Spoken) -> Look:
    """The state of a connection; `standing` is what sync-runner says of it, if it says anything."""
    path = f"/accounts/{connection['id']}"
    if connection["status"] == "attention":
        return _attention(connection, path, spoken)
    if connection["status"] != "active":
        return _unsaved(connection, path, spoken)
    if connection["paused"]:
        mend = Mend(spoken.said(_("Resume")), f"{path}/resume", posts=True)
        return Look(4, "calm", "pause", spoken.said(_("Paused")), None, mend)
    if standing is None:
        return Look(7, "calm", "check", spoken.said(_("Connected")))
    return _active(standing, path, spoken)


def _unsaved(connection: Json, path: str, spoken: Spoken) -> Look:
    """Not saved yet, or over."""
    match connection["status"]:
        case "connecting":
            trying = connection.get("login") in ("trying", "proving")
            text = _("Being logged in") if trying else _("Login not finished")
            mend = Mend(spoken.said(_("Continue")), f"{path}/login")
            return Look(1, "warn", "key", spoken.said(text), None, mend)
        case "configuring":
            mend = Mend(spoken.said(_("Continue")), f"{path}/options")
            return Look(1, "warn", "pen", spoken.said(_("Not saved yet")), None, mend)
        case "removed":
            return Look(9, "calm", "stop", spoken.said(_("Removed")))
        case _:
            return Look(8, "calm", "stop", spoken.said(_("Not completed")), connection.get("message"))


def _attention(connection: Json, path: str, spoken: Spoken) -> Look:
    action = connection.get("action") or ""
    words = MENDS.get(action)
    mend = None
    if connection.get("reason") in RUN_MENDS:
        mend = Mend(spoken.said(_("Try again")), f"{path}/run", posts=True)
    elif words is not None:
        to, posts = (f"{path}/settings", False) if action == "change_options" else (f"{path}/relogin", True)
        mend = Mend(spoken.said(words), to, posts=posts)
    text = connection.get("title") or spoken.said(_("Needs you"))
    return Look(0, "bad", "alert", text, connection.get("message"), mend)


def _active(standing: Json, path: str, spoken: Spoken) -> Look:
    run, counts = standing["run"], standing["counts"]
    if run and run["status"] == "running":
        return Look(5, "busy", "turn", spoken.said(_("Running")))
    if number := counts.get("rejected", 0):
        text = spoken.ngettext("%(num)s document refused", "%(num)s documents refused", number)
        mend = Mend(spoken.said(_("Have a look")), f"{path}/documents?status=rejected")
        return Look(2, "warn", "alert", text, None, mend)
    if number := counts.get("unknown", 0):
        text = spoken.ngettext("%(num)s document unclear", "%(num)s documents unclear", number)
        mend = Mend(spoken.said(_("Have a look")), f"{path}/documents?status=unknown")
        return Look(2, "warn", "help", text, None, mend)
    if run:
        return _about_to_run(run, standing, path, spoken)
    if number := waiting(counts):
        text = spoken.ngettext("%(num)s document waits", "%(num)s documents wait", number)
        return Look(6, "calm", "clock", text)
    return Look(7, "good", "check", spoken.said(_("Up to date")))


def _about_to_run(run: Json, standing: Json, path: str, spoken: Spoken) -> Look:
    """A run that waits for a worker; or, after one that could not go on, for its time."""
    later = run.get("not_before")
    last = standing["last"]
    if later is None or datetime.fromisoformat(later) <= spoken.now or last is None:
        return Look(5, "busy", "clock", spoken.said(_("Starts in a moment")))
    again = spoken.said(_("It is tried again by itself: %(when)s."), when=spoken.coming(later))
    mend = Mend(spoken.said(_("Try again now")), f"{path}/run", posts=True)
    message = f"{last['message']} {again}" if last["message"] else again
    return Look(3, "warn", "again", spoken.said(_("Could not go on")), message, mend)


def of_document(status: str, connection: Json, spoken: Spoken) -> Look:
    """A state of a document; one that failed says when it is tried again."""
    shown = chip(ROWS, status, spoken)
    if status != "failed":
        return shown
    standing = "paused" if connection["paused"] else connection["status"]
    return replace(shown, text=spoken.said(FAILED.get(standing, _("Not tried again"))))


def chip(table: Mapping[str, tuple[str, str, str]], status: str, spoken: Spoken) -> Look:
    """A state of a document or a run."""
    tone, icon, text = table.get(status, OTHER)
    return Look(0, tone, icon, spoken.said(text))
