"""Secrets of authenticator apps (RFC 6238): read however they are given; the code of a moment."""

from __future__ import annotations

import base64
import binascii
import hmac
import io
import re
from datetime import datetime
from urllib.parse import parse_qs, unquote, urlsplit

from providers.errors import ProviderError
from schemas.fields import Words
from schemas.reasons import Reason

MOST_PIXELS = 16_000_000
_BASE32 = re.compile(r"[A-Z2-7]{8,256}")
_HASHES = ("SHA1", "SHA256", "SHA512")
_MISREAD = str.maketrans("018", "OLB")
"""Signs that base32 has not, for those that they are mistaken for."""


def read(given: str, field: str | None = None) -> str:
    """The secret as it is kept: an `otpauth://totp/` address with all that is not usual.

    Takes the address, the secret itself with blanks and hyphens in either case and with signs misread, or a
    picture of a QR code in a `data:` address.

    Raises:
        ProviderError: `credentials_wrong` for `field` where it is none of these.
    """
    text = given.strip()
    if text.startswith("data:"):
        text = _scanned(text, field)
    if text.lower().startswith("otpauth:"):
        return _of_address(text, field)
    return _made(_secret(text, field), {}, field)


def code(kept: str, at: datetime) -> str:
    """The code of this moment, from what `read` returned (RFC 4226 §5.3).

    Made here: the usual library refuses the 80 bits that many providers hand out.
    """
    told = {name: values[0] for name, values in parse_qs(urlsplit(kept).query).items()}
    secret, digits = told["secret"], int(told["digits"])
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    counter = int(at.timestamp()) // int(told["period"])
    digest = hmac.digest(key, counter.to_bytes(8, "big"), told["algorithm"].lower())
    place = digest[-1] & 15
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def _of_address(text: str, field: str | None) -> str:
    parts = urlsplit(text)
    told = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
    if parts.netloc.lower() != "totp" or "secret" not in told:
        raise _wrong(field)
    return _made(_secret(unquote(told["secret"]), field), told, field)


def _made(secret: str, told: dict[str, str], field: str | None) -> str:
    digits, period = told.get("digits", "6"), told.get("period", "30")
    algorithm = told.get("algorithm", "SHA1").upper().replace("-", "")
    if digits not in ("6", "7", "8") or period not in ("15", "30", "60") or algorithm not in _HASHES:
        raise _wrong(field)
    return f"otpauth://totp/?secret={secret}&digits={digits}&period={period}&algorithm={algorithm}"


def _secret(text: str, field: str | None) -> str:
    plain = re.sub(r"[\s\-=]+", "", text).upper().translate(_MISREAD)
    if not _BASE32.fullmatch(plain):
        raise _wrong(field)
    try:
        base64.b32decode(plain + "=" * (-len(plain) % 8))
    except binascii.Error:
        raise _wrong(field) from None
    return plain


def _scanned(address: str, field: str | None) -> str:
    """What the QR code in a picture says."""
    import zxingcpp
    from PIL import Image

    try:
        raw = base64.b64decode(address.partition(",")[2], validate=True)
        image = Image.open(io.BytesIO(raw), formats=("PNG", "JPEG", "WEBP", "GIF"))
        if image.width * image.height > MOST_PIXELS:
            raise _wrong(field)
        codes = zxingcpp.read_barcodes(
            image.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
        )
    except (binascii.Error, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise _wrong(field) from None
    text = next((found.text for found in codes if found.text.lower().startswith("otpauth:")), None)
    if text is None:
        raise _wrong(field)
    return text


def _wrong(field: str | None) -> ProviderError:
    return ProviderError("auth", Reason.INVALID, WRONG, field=field)


WRONG = Words(
    en="This is no secret of an authenticator app. Copy the letters below the QR code, or its picture.",
    fr="Ce n'est pas un secret d'authentification. Copiez les lettres sous le QR code, ou son image.",
    de="Das ist kein Geheimnis einer solchen App. Kopieren Sie die Zeichen unter dem QR-Code oder sein Bild.",
)
