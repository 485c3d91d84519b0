"""Logos: neutral monogram tiles, and what a logo's file may be. It imitates no real logo."""

from __future__ import annotations

import re
import zlib
from html import escape
from typing import Final

LOGO_BYTES: Final = 64 * 1024
_INKS: Final = ("#1f4e79", "#3d5a3d", "#6b3a5b", "#7a4a1e", "#2f4f4f", "#4b3f72", "#7a2e2e", "#345c72")
"""Dark enough for white letters (contrast over 7:1)."""
_ACTIVE: Final = re.compile(
    rb"<\s*(?:script|foreignObject|iframe|object|embed|image|use|a|animate|set|style)\b|\son\w+\s*=|javascript:"
    rb"|<!DOCTYPE|<!ENTITY|(?:href|src)\s*=\s*[\"'](?!#)|url\(\s*[\"']?(?!#)",
    re.IGNORECASE,
)


class LogoRefused(ValueError):
    """A file that is no logo we serve. The text says why."""


def monogram(name: str) -> str:
    """An SVG tile with the name's first letters, always the same for the same name."""
    words = re.findall(r"\w+", name)
    letters = (words[0][:1] + words[1][:1] if len(words) > 1 else name.strip()[:2]).upper() or "?"
    ink = _INKS[zlib.crc32(name.casefold().encode()) % len(_INKS)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" '
        f'aria-label="{escape(name)}">\n'
        f'  <rect width="64" height="64" rx="12" fill="{ink}"/>\n'
        '  <text x="32" y="41" text-anchor="middle" font-family="system-ui, sans-serif" font-size="26" '
        f'font-weight="600" fill="#ffffff">{escape(letters)}</text>\n'
        "</svg>\n"
    )


def media_type_of(logo: bytes) -> str:
    """`image/png` or `image/svg+xml`, by its bytes.

    Raises:
        LogoRefused: it is neither, or an SVG that holds more than a drawing.
    """
    if logo.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if not re.match(rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]", logo, re.DOTALL):
        raise LogoRefused("The logo must be an SVG or a PNG file.")
    if _ACTIVE.search(logo):
        raise LogoRefused("The logo must be a plain drawing: no scripts, styles, links or outside files.")
    return "image/svg+xml"
