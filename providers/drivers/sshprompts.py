"""What an SSH server asks by itself (keyboard-interactive, RFC 4256), answered from what is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncssh

from providers.login import totp

_PASSWORD = re.compile(r"pass(word|wort|phrase)|mot de passe", re.IGNORECASE)
_CODE = re.compile(r"code|token|otp|verif|factor|jeton|einmal", re.IGNORECASE)
LONGEST = 300


class Prompts(asyncssh.SSHClient):
    """Answers the server's questions; `asked` is the first that nothing is known for.

    `settings`: `password`, `totp_secret` and `prompt_answers`, pairs of a question and its answer.
    """

    def __init__(self, settings: Mapping[str, Any], clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._tried = False
        self.asked: str | None = None

    def kbdint_auth_requested(self) -> str | None:
        """Once: asked again it is a refusal, and the same answers would only lock the account."""
        first, self._tried = not self._tried, True
        return "" if first else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """The answers; None where one is not known: then nothing is sent."""
        del name, instructions, lang
        answers = [self._answer(text.strip()) for text, _ in prompts]
        unknown = [text for (text, _), answer in zip(prompts, answers, strict=True) if answer is None]
        if unknown:
            self.asked = unknown[0].strip().rstrip(":")[:LONGEST]
            return None
        return [answer for answer in answers if answer is not None]

    def _answer(self, text: str) -> str | None:
        said = dict(self._settings.get("prompt_answers") or ())
        question = text.rstrip(":")[:LONGEST]
        if question in said:
            return str(said[question])
        secret = self._settings.get("totp_secret")
        if _PASSWORD.search(text) and not _CODE.search(text):
            return str(self._settings.get("password") or "") or None
        return totp.code(str(secret), self._clock()) if secret and _CODE.search(text) else None
