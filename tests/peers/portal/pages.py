"""The portal's HTML, written as a stranger would: tables, classes and words of its own."""

from __future__ import annotations

from html import escape
from typing import Any


def page(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang=en><head><title>{escape(title)} - Billing Portal</title></head>"
        f"<body><div id=wrap><h1>{escape(title)}</h1>{body}</div></body></html>"
    )


def _form(action: str, csrf: str, inner: str, *, id_: str) -> str:
    return (
        f'<form id="{id_}" method=post action="{action}">'
        f'<input type=hidden name=_token value="{csrf}">{inner}<button>OK</button></form>'
    )


def _error(text: str) -> str:
    return f"<div class='msg msg-error'>{escape(text)}</div>" if text else ""


def login(csrf: str, error: str = "") -> str:
    inner = "<p><input name=user placeholder=User></p><p><input name=pass type=password></p>"
    return page("Sign in", _error(error) + _form("/login", csrf, inner, id_="signin"))


def proof(session: Any, error: str = "") -> str:
    """The page of the proof that is due."""
    what = session.left[0]
    body, code = "", "<p><input name=code autocomplete=one-time-code></p>"
    match what:
        case "sms":
            place = "+33 6 •• •• •• 12" if session.medium == "sms" else "j•••@firm.example"
            body = f"<p class=where data-medium={session.medium}>We sent a code to <b>{place}</b></p>"
            inner = code
        case "totp":
            inner = code
        case "grid":
            body, inner = "<p class=cell>Type what stands in field <b>B4</b> of your card.</p>", code
        case "question":
            body, inner = "<p class=q>What was your first pet called?</p>", "<p><input name=answer></p>"
        case "captcha":
            inner = f"<img class=cap src=/captcha.png?n={len(session.captcha)} alt=captcha>{code}"
        case "device":
            inner = (
                "<label><input type=radio name=device value=sms> Phone ending in 12</label>"
                "<label><input type=radio name=device value=mail> j•••@firm.example</label>"
            )
        case "company":
            inner = (
                "<select name=company><option value=100>Firm One Ltd</option>"
                "<option value=200>Firm Two Ltd</option></select>"
            )
        case "app":
            inner = f"<p>Open our app and choose <strong class=num>{session.number}</strong></p>"
        case _:
            body, inner = "<p>Please accept our new terms in the app first.</p>", ""
    return page(
        "One more step", _error(error) + body + _form(f"/prove/{what}", session.csrf, inner, id_=what)
    )


def account(name: str, app_password: str, company: str) -> str:
    rows = f"<tr><th>Customer</th><td id=who>{escape(name)}</td></tr>"
    rows += f"<tr><th>App password for files</th><td><code class=app-pw>{app_password}</code></td></tr>"
    rows += f"<tr><th>Company</th><td id=firm>{escape(company)}</td></tr>" if company else ""
    return page("Your account", f"<table class=acc>{rows}</table><a id=out href=/logout>Sign out</a>")
