"""Pictures and sounds that providers send: checked by what they are, not by what they say.

A stranger's file goes to a browser: so it is decoded here within bounds, and written again as a plain PNG.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from typing import TYPE_CHECKING

from providers.errors import ProviderError
from providers.login import texts
from schemas.reasons import Reason

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 768 * 1024
"""Of a picture as it comes."""
MOST_PIXELS = 2_000_000
WIDEST = 800
MOST_DATA = 64 * 1024
"""Base64 of a picture as it goes: it is part of an event."""
MOST_SOUND = 256 * 1024
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
"""Drawn of pixels alone: an SVG is a program."""
_SOUNDS = {
    "audio/mpeg": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    "audio/wav": (b"RIFF",),
    "audio/ogg": (b"OggS",),
}
_DATA_ADDRESS = re.compile(r"data:image/[a-z+.-]{1,30};base64,([A-Za-z0-9+/=\s]+)")


def picture(raw: bytes) -> dict[str, str]:
    """A picture as it may be shown: {`media_type`, `data` base64}.

    Raises:
        ProviderError: `provider_changed` where it is none, or is too large.
    """
    import PIL.Image

    if not raw or len(raw) > MOST_BYTES:
        raise _wrong()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            image = PIL.Image.open(io.BytesIO(raw), formats=_FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise _wrong()
            image.load()
            drawn = image.convert("RGBA" if "transparency" in image.info or image.mode == "RGBA" else "RGB")
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError, Warning):
        raise _wrong() from None
    drawn.thumbnail((WIDEST, WIDEST))
    return {"media_type": "image/png", "data": _small(drawn)}


def _small(image: Image) -> str:
    """As PNG, made smaller until it fits."""
    while True:
        out = io.BytesIO()
        image.save(out, "PNG", optimize=True)
        data = base64.b64encode(out.getvalue()).decode()
        if len(data) <= MOST_DATA:
            return data
        if image.mode != "P":
            image = image.convert("RGB").quantize(64)
        else:
            image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))


def picture_of_address(address: str) -> dict[str, str]:
    """A picture out of a `data:` address; raises as `picture`."""
    found = _DATA_ADDRESS.fullmatch(address.strip()) if len(address) <= 2 * MOST_BYTES else None
    if found is None:
        raise _wrong()
    try:
        return picture(base64.b64decode(found.group(1)))
    except binascii.Error:
        raise _wrong() from None


def sound(raw: bytes) -> dict[str, str] | None:
    """A sound by its first bytes: {`media_type`, `data` base64}; None where it is none or too long.

    It is never in an event, and a captcha can do without.
    """
    if len(raw) > MOST_SOUND:
        return None
    for media_type, beginnings in _SOUNDS.items():
        if raw.startswith(beginnings) and (media_type != "audio/wav" or raw[8:12] == b"WAVE"):
            return {"media_type": media_type, "data": base64.b64encode(raw).decode()}
    return None


def _wrong() -> ProviderError:
    return ProviderError("config", Reason.PROVIDER_CHANGED, texts.NO_PICTURE)
