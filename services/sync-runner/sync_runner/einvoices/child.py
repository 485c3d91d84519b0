"""The process that reads PDFs and XML which nobody vouches for: `python -m sync_runner.einvoices.child`.

Frames come in and go out on standard streams: 4 bytes of length, then the bytes. In: one byte of kind (`p` or
`x`), then the file. Out: JSON {`terms`?, `locked`?, `broken`?}. It has no network, little memory, and no
time to waste: whoever started it ends it when an answer takes too long.
"""

from __future__ import annotations

import io
import json
import logging
import resource
import struct
import sys
from typing import Any, BinaryIO

from sync_runner.einvoices.terms import NoInvoice, terms_of

MEMORY = 768 * 1024 * 1024
FILES = 64
HEADER = struct.Struct(">I")


def answer(kind: bytes, data: bytes) -> dict[str, Any]:
    """What one file says of itself."""
    if kind == b"x":
        return {"terms": _terms(data)}
    return pdf(data)


def pdf(data: bytes) -> dict[str, Any]:
    """A PDF: whether it opens without a password, and the invoice in it. Nothing in it is run."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"locked": True}
        return {"terms": _inside(data)}
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError, IndexError):
        return {"broken": True}


def _inside(data: bytes) -> dict[str, Any]:
    from facturx import get_xml_from_pdf

    try:
        _, xml = get_xml_from_pdf(data, check_xsd=False)
    except Exception:  # noqa: BLE001 - of its libraries: whatever it was, no invoice was found
        return {}
    return _terms(xml) if xml else {}


def _terms(xml: bytes) -> dict[str, Any]:
    try:
        return terms_of(xml)
    except NoInvoice:
        return {}


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer until the other side hangs up."""
    while len(header := source.read(HEADER.size)) == HEADER.size:
        data = source.read(HEADER.unpack(header)[0])
        try:
            said = answer(data[:1], data[1:])
        except MemoryError:
            said = {"broken": True}
        out = json.dumps(said).encode()
        sink.write(HEADER.pack(len(out)) + out)
        sink.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    logging.disable()
    serve(sys.stdin.buffer, sys.stdout.buffer)
