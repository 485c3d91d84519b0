"""Events about documents: what the platform has (`documents.events`). Terms of EN 16931 where they exist."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field as Member, StringConstraints, model_validator

from schemas.base import Amount, ConnectionId, Day, DocumentId, Maybe, Model, Moment, Sha256, Text
from schemas.envelope import Data
from schemas.filters import Word
from schemas.reasons import Reason

Filename = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Line = Annotated[str, StringConstraints(max_length=500)]
Address = Annotated[str, StringConstraints(max_length=2000, pattern=r"^(https?://|gridfs:).+$")]


class Metadata(Model):
    """What is known of a document. Members that are not named here are kept and passed on."""

    model_config = ConfigDict(extra="allow")

    document_type: Maybe[Word] = None
    number: Maybe[Line] = None
    issue_date: Maybe[Day] = None
    due_date: Maybe[Day] = None
    currency: Maybe[Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]] = None
    seller_name: Maybe[Line] = None
    seller_vat_id: Maybe[Line] = None
    buyer_name: Maybe[Line] = None
    buyer_vat_id: Maybe[Line] = None
    net_amount: Maybe[Amount] = None
    vat_amount: Maybe[Amount] = None
    gross_amount: Maybe[Amount] = None
    approved: Maybe[bool] = None
    tags: Maybe[Annotated[tuple[Word, ...], Member(max_length=100)]] = None


class DocumentReceived(Data):
    """The platform has a document: this version of its bytes, at this address, with this metadata."""

    SUBJECT = "document_id"

    document_id: DocumentId
    """The platform's own id of it; the event's subject."""
    version: Annotated[int, Member(ge=0, lt=2**53)]
    """Rises whenever the bytes change. The same version again may bring other metadata, never other bytes."""
    filename: Filename
    """As a customer knows it, with its ending."""
    media_type: Annotated[str, StringConstraints(max_length=200, pattern=r"^[\w.+-]+/[\w.+-]+(\s*;.*)?$")]
    """Such as `application/pdf`."""
    size: Annotated[int, Member(ge=0, lt=2**53)]
    """In bytes; checked while it is fetched."""
    sha256: Sha256
    """Of the bytes, in hex; checked while it is fetched."""
    content_url: Address
    """Where sync-runner fetches the bytes, until `DocumentWithdrawn`: https, or http on loopback."""
    received_at: Moment
    """When the platform got it: what `start` of a connection goes by."""
    metadata: Metadata = Metadata()


class DocumentWithdrawn(Data):
    """The platform takes a document back: what was not sent is not sent any more."""

    SUBJECT = "document_id"

    document_id: DocumentId


class _Word(Data):
    """The platform's word on an imported document, named by its own id or by the source's."""

    SUBJECT = None

    document_id: Maybe[DocumentId] = None
    connection_id: Maybe[ConnectionId] = None
    external_id: Maybe[Line] = None
    version: Maybe[str | int] = None
    reason: Maybe[Reason] = None
    message: Maybe[Text] = None

    @model_validator(mode="after")
    def _names_a_document(self) -> _Word:
        by_source = None not in (self.connection_id, self.external_id, self.version)
        if self.document_id is None and not by_source:
            raise ValueError("must name `document_id`, or `connection_id`, `external_id` and `version`")
        return self


class DocumentAccepted(_Word):
    """The platform took an imported document."""


class DocumentRefused(_Word):
    """The platform did not take an imported document."""


EVENTS: tuple[type[Data], ...] = (DocumentReceived, DocumentWithdrawn, DocumentAccepted, DocumentRefused)
