"""The HTTP frame of every service: health, metrics, problems (RFC 9457), access, lists. No paths of any service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

from kit.tokens import Access, Verifier

if TYPE_CHECKING:
    from schemas.fields import FieldError

T = TypeVar("T")


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer other than success. `detail` is a sentence that says what to do next."""

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
    """404 in words, the same for what is not there and what is another account's: `not_found("connection")`."""
    return Problem(404, f"There is no such {what}.")


class Page(BaseModel, Generic[T]):
    """A list as it is answered."""

    items: list[T]
    next: str | None = None


def make_app(
    name: str, verifier: Verifier | None = None, stuck: Sequence[Callable[[], str | None]] = ()
) -> FastAPI:
    """An application with `/health/live`, `/health/ready`, `/metrics`, `/openapi.json` and problem documents."""
    raise NotImplementedError


async def access(request: Request) -> Access:
    """The caller, by `Authorization: Bearer`. 401 as a problem document without one that counts."""
    raise NotImplementedError


async def admin(request: Request) -> Access:
    """The caller, who must be an admin: 403 otherwise."""
    raise NotImplementedError


Caller = Annotated[Access, Depends(access)]
Admin = Annotated[Access, Depends(admin)]


def cursor_of(*parts: Any) -> str:
    """An opaque `next`: where the page after this one starts."""
    raise NotImplementedError


def read_cursor(cursor: str | None, parts: int) -> list[Any] | None:
    """The parts of a cursor; None where there is none.

    Raises:
        Problem: 400, it is not one of ours.
    """
    raise NotImplementedError
