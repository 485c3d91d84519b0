"""The HTTP frame of services: health, metrics, problems (RFC 9457), access, lists. No paths of their own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from kit.logs import logger
from kit.tokens import Access, TokenRefused, Verifier

if TYPE_CHECKING:
    from schemas.fields import FieldError

T = TypeVar("T")
Stuck = Callable[[], str | None]

log = logger(__name__)
PROBLEM = "application/problem+json"
MOST_ITEMS = 200
CANNOT_SAY = "Something of ours failed on this. It has been reported; please try again later."


class Problem(Exception):
    """An answer other than success. `detail` is a sentence that says what to do; `reason` is of the list."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        reason: str | None = None,
        retry_after: int | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.reason = reason
        self.retry_after = retry_after
        self.errors = tuple(errors)


def not_found(what: str) -> Problem:
    """404 in words, the same for what is not there and what is another account's."""
    return Problem(404, f"There is no such {what}.")


class Page(BaseModel, Generic[T]):
    """A list as it is answered."""

    items: list[T]
    next: str | None = None


def make_app(name: str, verifier: Verifier | None = None, stuck: Sequence[Stuck] = ()) -> FastAPI:
    """An application with `/health/live`, `/health/ready`, `/metrics`, `/openapi.json` and problem documents.

    `stuck` each give a sentence where no progress is made; readiness is that none does.
    """
    app = FastAPI(title=f"Paperbus {name}", docs_url=None, redoc_url=None)
    app.state.verifier = verifier
    app.state.stuck = tuple(stuck)
    app.add_api_route("/health/live", live, methods=["GET"], include_in_schema=False)
    app.add_api_route("/health/ready", ready, methods=["GET"], include_in_schema=False)
    app.add_api_route("/metrics", metrics, methods=["GET"], include_in_schema=False)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    return app


async def live() -> Response:
    """The process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> Response:
    """The process makes progress: not whether a ping is answered."""
    whys = [why for stuck in request.app.state.stuck if (why := stuck())]
    return JSONResponse({"status": "not ready" if whys else "ready", "why": whys}, 503 if whys else 200)


async def metrics() -> Response:
    """Prometheus text."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


bearer = HTTPBearer(auto_error=False, description="A JWT by a key of the platform, or by the console's own.")


async def access(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Access:
    """The caller, by `Authorization: Bearer`. 401 as a problem document without a token that counts."""
    if given is None:
        raise Problem(401, "Send an access token: `Authorization: Bearer …`.")
    verifier: Verifier | None = request.app.state.verifier
    if verifier is None:
        raise Problem(401, "No keys are known here, so nobody has access: set PAPERBUS_PLATFORM_KEYS.")
    try:
        return verifier.access(given.credentials)
    except TokenRefused as refused:
        log.info("token refused", why=str(refused), path=request.url.path)
        raise Problem(401, str(refused)) from None


async def admin(caller: Annotated[Access, Depends(access)]) -> Access:
    """The caller, who must be an admin: 403 otherwise."""
    if not caller.may_manage:
        raise Problem(403, "Your role may look but not change: ask an admin of your account.")
    return caller


Caller = Annotated[Access, Depends(access)]
Admin = Annotated[Access, Depends(admin)]


def cursor_of(*parts: Any) -> str:
    """An opaque `next`: where the page after this one starts. Parts are JSON-able, or moments."""
    text = json.dumps(parts, separators=(",", ":"), default=datetime.isoformat)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The parts of a cursor, each of its kind; None where there is none.

    Raises:
        Problem: 400, it is not one of ours.
    """
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if isinstance(parts, list):
            parts = [
                _moment(part) if kind is datetime else part for part, kind in zip(parts, kinds, strict=True)
            ]
    except (ValueError, TypeError, OverflowError):
        parts = None
    if not isinstance(parts, list) or len(parts) != len(kinds) or not all(map(isinstance, parts, kinds)):
        raise Problem(400, "This cursor is not one of ours: start the list anew without it.")
    return tuple(parts)


def _moment(part: Any) -> datetime:
    return datetime.fromisoformat(part).astimezone(UTC)


def _document(problem: Problem, path: str) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": path,
    }
    if problem.reason:
        body["reason"] = str(problem.reason)
    if problem.errors:
        body["errors"] = [error.model_dump(mode="json") for error in problem.errors]
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, problem.status, headers, PROBLEM)


async def _problem(request: Request, error: Any) -> Response:
    return _document(error, request.url.path)


async def _refused(request: Request, error: Any) -> Response:
    """What Starlette refuses by itself: unknown paths, wrong methods."""
    sentences = {404: "There is nothing at this address.", 405: "This address does not take that method."}
    response = _document(
        Problem(error.status_code, sentences.get(error.status_code, str(error.detail))), request.url.path
    )
    response.headers.update(error.headers or {})
    return response


async def _invalid(request: Request, error: Any) -> Response:
    """A request that breaks the rules of its parameters or body. Its input is not repeated."""
    from schemas.fields import FieldError
    from schemas.wording import wording

    errors = tuple(
        FieldError(
            field=".".join(str(part) for part in found["loc"][1:]) or "body",
            code=found["type"],
            message=wording(found),
        )
        for found in error.errors()[:20]
    )
    detail = "; ".join(f"{found.field}: {found.message}" for found in errors[:5])
    return _document(Problem(422, f"The request is not valid: {detail}.", errors=errors), request.url.path)


async def _failed(request: Request, error: Exception) -> Response:
    log.error("request failed", exc_info=error, path=request.url.path)
    return _document(Problem(500, CANNOT_SAY, reason="bug"), request.url.path)
