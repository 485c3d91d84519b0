"""The demo's portal: it asks for a code, as banks and suppliers do, and keeps its files in the demo's WebDAV.

Its manifest is written once it runs, beside the catalogue's own: adding a provider is data.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from paperbus.demo.target import Target
from providers.logos import monogram

if TYPE_CHECKING:
    from aiohttp import web

PROVIDER = "demo-portal"
COOKIE = "portal"
MANIFEST = """\
id: demo-portal
name: {en: Demo Portal, fr: Portail de démonstration, de: Demo-Portal}
summary:
  en: Try it here. It asks for a code, as many portals do, and takes any password.
  fr: Pour essayer. Il demande un code, comme beaucoup de portails, et accepte tout mot de passe.
  de: Zum Ausprobieren. Es fragt nach einem Code wie viele Portale und nimmt jedes Passwort.
aliases: [demo, portal, code, test]
categories: [storage, other]
directions: [export, import]
extends: files
login:
  - ask: credentials
    name: password
    fields:
      - name: url
        label: {en: Address of the portal, fr: Adresse du portail, de: Adresse des Portals}
        type: url
        required: true
        destination: true
        default: "@URL@"
      - {name: login, label: {en: User, fr: Utilisateur, de: Benutzer}, required: true, default: jane}
      - name: pin
        label: {en: Password, fr: Mot de passe, de: Passwort}
        help: {en: Any password will do., fr: N'importe quel mot de passe convient., de: Jedes Passwort geht.}
        type: password
        secret: true
        required: true
        stored: false
  - name: open
    call: {url: "{url}/login"}
    take: {csrf: {field: token}}
  - call:
      method: POST
      url: "{url}/login"
      form: {token: "{csrf}", user: "{login}", password: "{pin}"}
      follow: 1
    take: {phone: {css: "#phone"}, csrf: {field: token}}
    then:
      - {status: 200, go: code}
  - name: code
    ask: code_sent
    medium: {type: sms, label: "{phone}"}
    fields:
      - name: sms_code
        label: {en: Code, fr: Code, de: Code}
        type: code
        required: true
        stored: false
        secret: true
  - call:
      method: POST
      url: "{url}/code"
      form: {token: "{csrf}", code: "{sms_code}"}
      follow: 1
    then:
      - {status: 403, error: credentials_wrong, go: code, field: sms_code}
      - {status: 200, go: account}
  - name: account
    call: {url: "{url}/account"}
    take:
      files_user: {css: "#user"}
      files_password: {css: "#password"}
  - keep: {username: "{files_user}", password: "{files_password}"}
    identity: "{login}@demo-portal"
driver:
  kind: webdav
  settings: {url: "@FILES@"}
"""


@dataclass
class Portal:
    """Who is on the way in, by the browser's cookie: the code that was sent, and whether it came back."""

    files: Target
    codes: dict[str, str] = field(default_factory=dict, repr=False)
    inside: set[str] = field(default_factory=set, repr=False)

    async def login(self, _: web.Request) -> web.Response:
        """Ask who comes; a new visitor is known by a cookie from then on."""
        visitor = secrets.token_urlsafe(16)
        answer = _page(_form("/login", visitor, "user", "password"))
        answer.set_cookie(COOKIE, visitor, httponly=True)
        return answer

    async def named(self, request: web.Request) -> web.Response:
        """Any password will do: a code is sent, to a phone that the page shows too."""
        visitor = await self._visitor(request)
        self.codes[visitor] = f"{secrets.randbelow(1_000_000):06}"
        phone = f"+33 6 •• •• •• 12 (demo: {self.codes[visitor]})"
        return _page(f'<p>Sent to <b id="phone">{phone}</b></p>' + _form("/code", visitor, "code"))

    async def proven(self, request: web.Request) -> web.Response:
        """The code came back, or another one did."""
        visitor = await self._visitor(request)
        if (await request.post()).get("code") != self.codes.get(visitor):
            return _page("<p>Wrong code.</p>", 403)
        self.inside.add(visitor)
        return _page("<p>Welcome.</p>")

    async def account(self, request: web.Request) -> web.Response:
        """How programs get at the files."""
        from aiohttp import web

        if request.cookies.get(COOKIE) not in self.inside:
            raise web.HTTPForbidden
        shown = f'<b id="user">{self.files.username}</b> <b id="password">{self.files.password}</b>'
        return _page(f"<p>{shown}</p>")

    async def _visitor(self, request: web.Request) -> str:
        """Whose form it is: the page's own, in the browser that it was shown to."""
        from aiohttp import web

        visitor = request.cookies.get(COOKIE, "")
        if not visitor or (await request.post()).get("token") != visitor:
            raise web.HTTPForbidden
        return visitor


@asynccontextmanager
async def portal(files: Target, providers: Path) -> AsyncIterator[str]:
    """The portal on a free port of loopback, and its manifest in `providers`, while the block lasts."""
    from aiohttp import web

    made = Portal(files)
    app = web.Application()
    app.add_routes(
        [
            web.get("/login", made.login),
            web.post("/login", made.named),
            web.post("/code", made.proven),
            web.get("/account", made.account),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    folder = providers / PROVIDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "logo.svg").write_text(monogram("Demo Portal"))
    (folder / "manifest.yaml").write_text(MANIFEST.replace("@URL@", url).replace("@FILES@", files.url))
    try:
        yield url
    finally:
        await runner.cleanup()


def _form(action: str, token: str, *fields: str) -> str:
    inputs = "".join(f'<label>{name} <input name="{name}"></label>' for name in fields)
    hidden = f'<input type="hidden" name="token" value="{token}">'
    return f'<form method="post" action="{action}">{hidden}{inputs}<button>OK</button></form>'


def _page(body: str, status: int = 200) -> web.Response:
    from aiohttp import web

    text = f"<!doctype html><html lang='en'><title>Demo Portal</title><main>{body}</main></html>"
    return web.Response(text=text, content_type="text/html", status=status)
