"""A request that was refused, beside the fields that it is about, in the page's words. Pure."""

from __future__ import annotations

from console import schedules
from console.spoken import Spoken
from schemas.envelope import RequestRefused
from schemas.fields import FieldError
from schemas.reasons import Reason
from web.languages import _

WORDS: dict[str, str] = {
    Reason.REVISION_CONFLICT: _("Somebody changed this account meanwhile. See what is different, then save."),
    Reason.NOT_YET: _("The login has to be finished first."),
    Reason.ALREADY_ANSWERED: _("This was saved already."),
    Reason.LOCKED: _("Too many logins failed. Wait a while, or the provider locks your account."),
    Reason.REMOVED: _("This account was removed meanwhile."),
    Reason.ABANDONED: _("This was not finished within 7 days. Add the account anew."),
    Reason.PROVIDER_RETIRED: _("This provider is no longer offered. Choose another one."),
    Reason.UNKNOWN_PROVIDER: _("There is no such provider any more. Choose another one."),
    Reason.NOT_SET_UP: _("This provider is not set up yet. Ask your platform to do it."),
    Reason.UNKNOWN_CONNECTION: _("There is no such account any more."),
    Reason.EXISTS: _("This was asked for already. Go back to the list."),
    Reason.PAUSED: _("It is paused. Resume it first."),
}
"""Reasons in words of ours; others are said as the service said them."""


def errors(refused: RequestRefused, spoken: Spoken) -> list[FieldError]:
    """What is wrong, by the form's fields; the empty field stands for the whole form."""
    told = [
        FieldError(field=_field(error.field), code=error.code, message=error.message)
        for error in refused.errors
        if error.field.split(".")[0] != "schedule"
    ]
    told += schedules.refused(refused.errors, spoken)
    if not told or refused.reason in WORDS:
        told.append(FieldError(field="", code=refused.reason, message=message(refused, spoken)))
    return told


def message(refused: RequestRefused, spoken: Spoken) -> str:
    """Why, in one sentence."""
    words = WORDS.get(refused.reason)
    return spoken.said(words) if words else refused.message


def _field(path: str) -> str:
    """The form's field of a member of the event: those of options and filters carry their own names."""
    return path.removeprefix("options.").removeprefix("filters.")
