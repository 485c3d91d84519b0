"""A customer portal as some firm might run it: pages, sessions, limits of its own.

No installable server sends a text message, shows a captcha or waits for an approval, so this one does. Which
proofs an account has to give is set by account (`Account.way`); what was sent is in its outbox.
"""

from __future__ import annotations

import base64
import hmac
import io
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyotp
from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.peers.portal import pages
from tests.peers.portal.files import Files

LOCKS_AFTER = 5
"""Wrong passwords in a row that lock an account."""
CODE_LASTS = 300.0
SESSION_LASTS = 1800.0


@dataclass
class Account:
    """One customer of the portal."""

    name: str
    password: str = "correct horse"
    way: tuple[str, ...] = ()
    """The proofs after the password, in order; see `Portal._proven`, and `app`."""
    wrong: int = 0
    guesses: int = 0
    """Passwords that were tried, all told."""
    locked: bool = False
    outbox: list[str] = field(default_factory=list)
    """Codes that were sent, the newest last."""
    totp_secret: str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    approved: bool | None = None
    terms: bool = False
    app_password: str = ""


@dataclass
class Session:
    """One browser's login."""

    csrf: str
    born: float
    account: Account | None = None
    left: list[str] = field(default_factory=list)
    """The proofs that are still to be given."""
    code: str = ""
    sent_at: float = 0.0
    medium: str = "sms"
    captcha: str = ""
    number: str = ""
    company: str = ""


class Portal:
    """The portal's memory."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.sessions: dict[str, Session] = {}
        self.tokens: dict[str, float] = {}
        """Those of its interface for programs, and when they end."""
        self.down = False
        self.slow_down = False
        self.captcha_says: bytes | None = None
        """What is sent in the place of a captcha's picture."""
        self.files = Files(self._may)

    def has(self, name: str, *way: str, **members: object) -> Account:
        """A customer."""
        self.accounts[name] = Account(name, way=way, **members)  # type: ignore[arg-type]  # as the test says
        return self.accounts[name]

    def _may(self, authorization: str) -> bool:
        """Whether these are a customer's name and app password, or a token that still counts."""
        if authorization.startswith("Bearer "):
            return self.tokens.get(authorization.removeprefix("Bearer "), 0.0) > time.monotonic()
        try:
            name, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            return False
        account = self.accounts.get(name)
        known = account.app_password if account else ""
        return bool(known) and hmac.compare_digest(known, password)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/login", self.login),
                Route("/login", self.password, methods=["POST"]),
                Route("/next", self.next),
                Route("/prove/{what}", self.prove, methods=["POST"]),
                Route("/captcha.png", self.captcha),
                Route("/captcha.wav", self.captcha_sound),
                Route("/approval.json", self.approval),
                Route("/account", self.account),
                Route("/api/token", self.token, methods=["POST"]),
                Route("/send-again", self.send_again, methods=["POST"]),
                *self.files.routes(),
            ]
        )

    def _session(self, request: Request) -> Session | None:
        session = self.sessions.get(request.cookies.get("psid", ""))
        return session if session and time.monotonic() - session.born < SESSION_LASTS else None

    async def login(self, request: Request) -> Response:
        if self.down:
            return HTMLResponse(pages.page("Maintenance", "<p>Back soon.</p>"), 503)
        sid, session = secrets.token_hex(16), Session(secrets.token_hex(8), time.monotonic())
        self.sessions[sid] = session
        response = HTMLResponse(pages.login(session.csrf))
        response.set_cookie("psid", sid, httponly=True, samesite="lax")
        return response

    async def password(self, request: Request) -> Response:
        session, form = self._session(request), await request.form()
        if session is None or form.get("_token") != session.csrf:
            return HTMLResponse(pages.page("Forbidden", "<p class=error>Your session has ended.</p>"), 403)
        if self.slow_down:
            return HTMLResponse(pages.page("Slow down", ""), 429, {"Retry-After": "7"})
        account = self.accounts.get(str(form.get("user")))
        if account is not None:
            account.guesses += 1
        if account is not None and account.locked:
            return HTMLResponse(pages.login(session.csrf, "Your account is locked."))
        if account is None or str(form.get("pass")) != account.password:
            if account is not None:
                account.wrong += 1
                account.locked = account.wrong >= LOCKS_AFTER
            return HTMLResponse(pages.login(session.csrf, "User or password is wrong."))
        account.wrong, session.account, session.left = 0, account, list(account.way)
        self._begin(session)
        return RedirectResponse("/next", 303)

    async def token(self, request: Request) -> Response:
        """For programs: an hour's token for a name, a password, and an app's code where one is asked."""
        if self.down:
            return JSONResponse({"error": "maintenance"}, 503)
        given = await request.json()
        account = self.accounts.get(given["user"])
        if account is None or given["password"] != account.password:
            return JSONResponse({"error": "unknown"}, 401)
        app = pyotp.TOTP(account.totp_secret) if account.way == ("totp",) else None
        if account.way and not (app and app.verify(given.get("code", ""), valid_window=1)):
            return JSONResponse({"error": "second_factor"}, 403)
        token = secrets.token_hex(16)
        self.tokens[token] = time.monotonic() + 3600
        return JSONResponse({"token": token, "expires_in": 3600})

    def _begin(self, session: Session) -> None:
        """What the next proof needs."""
        account = session.account
        assert account is not None
        match session.left[:1]:
            case ["sms"]:
                self._send(session, account)
            case ["app"]:
                session.number = f"{secrets.randbelow(90) + 10}"
                account.approved = None

    def _send(self, session: Session, account: Account) -> None:
        session.code, session.sent_at = f"{secrets.randbelow(10**6):06}", time.monotonic()
        account.outbox.append(session.code)

    async def next(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or session.account is None:
            return RedirectResponse("/login", 303)
        if not session.left:
            return RedirectResponse("/account", 303)
        return self._proof(session)

    def _proof(self, session: Session, error: str = "") -> Response:
        if session.left[0] == "captcha" and not session.captcha:
            session.captcha = "".join(secrets.choice("ACDEFHKMNPRTXY") for _ in range(5))
        return HTMLResponse(pages.proof(session, error))

    async def prove(self, request: Request) -> Response:
        session, what = self._session(request), request.path_params["what"]
        form = await request.form()
        if session is None or session.account is None or form.get("_token") != session.csrf:
            return HTMLResponse(pages.page("Forbidden", "<p class=error>Your session has ended.</p>"), 403)
        if session.left[:1] != [what]:
            return RedirectResponse("/next", 303)
        if not self._proven(session, what, {name: str(value) for name, value in form.items()}):
            return self._proof(session, "That is not right.")
        session.left.pop(0)
        self._begin(session)
        return RedirectResponse("/next", 303)

    def _proven(self, session: Session, what: str, form: Mapping[str, str]) -> bool:
        account = session.account
        assert account is not None
        given = form.get("code", "")
        right = {
            "sms": self._is_newest(session, given),
            "totp": pyotp.TOTP(account.totp_secret).verify(given, valid_window=1),
            "grid": given.upper() == "7Q2",
            "question": form.get("answer", "").strip().lower() == "rex",
            "captcha": bool(session.captcha) and given.upper() == session.captcha,
            "device": form.get("device") in ("sms", "mail"),
            "company": form.get("company") in ("100", "200"),
            "terms": account.terms,
        }
        session.captcha = ""
        session.medium = form.get("device", session.medium)
        session.company = form.get("company", session.company)
        return right.get(what, False)

    def _is_newest(self, session: Session, given: str) -> bool:
        fresh = time.monotonic() - session.sent_at < CODE_LASTS
        return fresh and bool(session.code) and given == session.code

    async def send_again(self, request: Request) -> Response:
        session, form = self._session(request), await request.form()
        if session is None or session.account is None or form.get("_token") != session.csrf:
            return HTMLResponse(pages.page("Forbidden", ""), 403)
        if session.left[:1] == ["sms"]:
            self._send(session, session.account)
        return RedirectResponse("/next", 303)

    async def captcha(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or not session.captcha:
            return Response(status_code=404)
        if self.captcha_says is not None:
            return Response(self.captcha_says, media_type="image/png")
        image = Image.new("RGB", (180, 60), "#eef")
        draw = ImageDraw.Draw(image)
        for place, letter in enumerate(session.captcha):
            draw.text((12 + place * 32, 8 + place % 3 * 8), letter, fill="#224", font_size=34)
        for line in range(0, 60, 12):
            draw.line((0, line, 180, 60 - line), fill="#99b")
        out = io.BytesIO()
        image.save(out, "PNG")
        return Response(out.getvalue(), media_type="image/png", headers={"Cache-Control": "no-store"})

    async def captcha_sound(self, request: Request) -> Response:
        silence = (
            b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00"
        )
        return Response(
            silence + b"\x01\x00\x08\x00data\x08\x00\x00\x00" + b"\x80" * 8, media_type="audio/wav"
        )

    async def approval(self, request: Request) -> Response:
        """What the portal's own page asks every few seconds."""
        session = self._session(request)
        if session is None or session.account is None:
            return JSONResponse({"error": "session"}, 401)
        if session.left[:1] != ["app"]:
            return JSONResponse({"status": "approved"})
        state = {None: "pending", True: "approved", False: "denied"}[session.account.approved]
        if state == "approved":
            session.left.pop(0)
            self._begin(session)
        return JSONResponse({"status": state})

    async def account(self, request: Request) -> Response:
        """Who is logged in sees their app password for the files."""
        session = self._session(request)
        if session is None or session.account is None or session.left:
            return RedirectResponse("/next", 303)
        session.account.app_password = session.account.app_password or secrets.token_urlsafe(12)
        return HTMLResponse(
            pages.account(session.account.name, session.account.app_password, session.company)
        )
