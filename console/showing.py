"""The frame of the console's pages: what all of them need, and the notes that follow a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from console import refusing
from console.looks import ROLES, waiting
from console.visits import Visit
from web.languages import LOCALES, _
from web.pages import Pages

NOTES = {
    "saved": _("Saved. From now on documents move by themselves."),
    "saved_manual": _("Saved. Documents move when you ask for it."),
    "saved_now": _("Saved. The first run starts in a moment."),
    "changed": _("Your changes are saved."),
    "run": _("Asked for. The run starts in a moment."),
    "paused": _("Paused: nothing moves until you resume it."),
    "resumed": _("Resumed: documents move again."),
    "removed": _("Removed. What was delivered stays where it is."),
    "retried": _("Asked for. These documents go again in a moment."),
    "logged_in": _("You are logged in again."),
    "cancelled": _("The login was cancelled. You can start it again whenever you like."),
    "failed": _("The login did not succeed, and nothing was stored. You can start it again."),
    "expired": _("The login ran out of time. You can start it again."),
    "later": _(
        "Your request was sent, but there is no answer yet. This page follows it by itself. "
        "If nothing has changed in a few minutes, send it once more."
    ),
}
"""What is said on the page after a form, by the word in its address."""
GLOOMY = ("cancelled", "failed", "expired", "later")
LANGUAGES = {"en": "English", "fr": "Français", "de": "Deutsch"}


@dataclass(frozen=True, slots=True)
class Showing:
    """Makes pages."""

    pages: Pages
    login_origin: str
    """Where the login window lives: its form may end there."""

    def page(
        self,
        visit: Visit,
        name: str,
        *,
        status: int = 200,
        form_action: Sequence[str] = (),
        **values: Any,
    ) -> Response:
        """The template `name` in the console's frame."""
        return self.pages.render(
            name, visit.locale, self._frame(visit) | values, status=status, form_action=form_action
        )

    def _frame(self, visit: Visit) -> dict[str, Any]:
        spoken = visit.spoken
        query = visit.request.url.query
        said = visit.request.query_params.get("said", "")
        note = NOTES.get(said) or refusing.WORDS.get(said.removeprefix("no_"))
        return {
            "account": visit.account,
            "sub": visit.session.sub,
            "role": spoken.said(ROLES[visit.session.role]),
            "may_change": visit.may_change,
            "form_token": visit.form_token,
            "spoken": spoken,
            "waiting": waiting,
            "languages": [(locale, LANGUAGES[locale]) for locale in LOCALES],
            "here": visit.request.url.path + (f"?{query}" if query else ""),
            "note": spoken.said(note) if note else None,
            "note_tone": "calm" if said in GLOOMY or said.startswith("no_") else "good",
        }
