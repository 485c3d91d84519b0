"""What the window says by itself, marked for the catalogs. What a provider or a field says is not here."""

from __future__ import annotations

from typing import NamedTuple

from connections.window.windows import Address, Result
from web.languages import Language


class Said(NamedTuple):
    """A heading and what to do next."""

    heading: str
    text: str


def _(message: str) -> str:
    """Marks a text for the catalogs; it is said later, in the page's language."""
    return message


AGAIN = _("Go back to where you came from and start again there.")

NOWHERE: dict[Address | str, Said] = {
    "unknown": Said(_("This address leads nowhere"), AGAIN),
    "elsewhere": Said(
        _("This window is open in another browser"),
        _("Go on in the browser where it was opened, or go back to where you came from and start again."),
    ),
    "stranger": Said(
        _("This answer leads nowhere"),
        _("It was used before, took too long, or belongs to another browser. Go back to the login window."),
    ),
    "replaced": Said(
        _("A newer window took over"),
        _("This address no longer counts, because a newer one was made. Use the newest one."),
    ),
    "late": Said(
        _("This address has run out"),
        _("It could be opened for five minutes. Go back to where you came from and start again there."),
    ),
    "form": Said(
        _("This form cannot be taken"),
        _("It was not sent from our own page, or your browser keeps no cookies. Open the window again."),
    ),
    "broken": Said(_("Something went wrong here"), _("That is our fault. Please try again in a moment.")),
    "large": Said(_("That is too much"), _("Nothing asked for here is this long. Check what you entered.")),
}

TOO_EARLY = _("It was sent a moment ago. Wait a little before you ask for it again.")

OVER: dict[Result, Said] = {
    "authorized": Said(
        _("%(provider)s is connected"),
        _("You are logged in. Go back to %(platform)s to finish."),
    ),
    "cancelled": Said(
        _("Nothing was connected"),
        _("The login was cancelled or replaced by a newer one, and nothing of it was stored."),
    ),
    "failed": Said(
        _("%(provider)s could not be connected"),
        _("Nothing was stored. You can start again on %(platform)s."),
    ),
    "expired": Said(
        _("Time ran out"),
        _("Nothing was stored. You can start again on %(platform)s."),
    ),
}


def said(words: Said, language: Language, **values: str) -> Said:
    """In `language`, with its names filled in."""
    return Said(*(language.said(text) % values if values else language.said(text) for text in words))
