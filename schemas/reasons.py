"""Why something is so: the closed lists of reasons, states and results (CONTRACT §5)."""

from __future__ import annotations

from typing import Literal

from schemas.base import Lenient


class Reason(Lenient):
    """Why a request was refused, a login failed, a document did not go, or a connection needs attention."""

    CREDENTIALS_WRONG = "credentials_wrong"
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 - a word of the list, no password
    CHALLENGE_NEEDED = "challenge_needed"
    CONSENT_EXPIRED = "consent_expired"
    ACTION_ON_SITE = "action_on_site"
    PERMISSION_MISSING = "permission_missing"
    LOCKED = "locked"
    RATE_LIMITED = "rate_limited"
    PROVIDER_DOWN = "provider_down"
    PROVIDER_CHANGED = "provider_changed"
    PROVIDER_RETIRED = "provider_retired"
    NOT_SET_UP = "not_set_up"
    ADDRESS_REFUSED = "address_refused"
    HOST_UNREACHABLE = "host_unreachable"
    CERTIFICATE_INVALID = "certificate_invalid"
    IDENTITY_CHANGED = "identity_changed"
    DESTINATION_MISSING = "destination_missing"
    QUOTA_FULL = "quota_full"
    DOCUMENT_REFUSED = "document_refused"
    CONTENT_UNAVAILABLE = "content_unavailable"
    CONTENT_CHANGED = "content_changed"
    SESSION_EXPIRED = "session_expired"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    INTERRUPTED = "interrupted"
    ALREADY_ANSWERED = "already_answered"
    NOT_YET = "not_yet"
    REVISION_CONFLICT = "revision_conflict"
    UNKNOWN_CONNECTION = "unknown_connection"
    UNKNOWN_PROVIDER = "unknown_provider"
    EXISTS = "exists"
    REMOVED = "removed"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    INVALID = "invalid"
    PAUSED = "paused"
    BUG = "bug"
    OTHER = "other"


class RowStatus(Lenient):
    """Where one document version stands for one connection (a row of the ledger)."""

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    OTHER = "other"


class RunStatus(Lenient):
    """Where a run stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    OTHER = "other"


class ChallengeKind(Lenient):
    """What a provider asks for while somebody logs in."""

    CREDENTIALS = "credentials"
    CONFIRM = "confirm"
    CODE_SENT = "code_sent"
    CODE_OFFLINE = "code_offline"
    QUESTION = "question"
    SELECT = "select"
    CAPTCHA_IMAGE = "captcha_image"
    APPROVE_ELSEWHERE = "approve_elsewhere"
    REDIRECT = "redirect"
    DEVICE_CODE = "device_code"
    ACTION_ON_SITE = "action_on_site"
    OTHER = "other"


class SessionResult(Lenient):
    """How a login session ended."""

    AUTHORIZED = "authorized"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    EXHAUSTED = "exhausted"
    OTHER = "other"


Direction = Literal["import", "export"]
AnswerBy = Literal["window", "sealed"]
Purpose = Literal["connect", "reauthenticate"]
By = Literal["customer", "operator", "system"]
Locale = Literal["en", "fr", "de"]
