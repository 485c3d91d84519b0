"""Answers become errors by one table, which manifests refine."""

from datetime import UTC, datetime

import pytest

from providers.errors import LONGEST_WAIT, ProviderError, of_status, waiting
from providers.words import words
from schemas.manifest import ErrorRule
from schemas.reasons import Reason

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TABLE = """
301 config         provider_changed
307 config         provider_changed
400 item_permanent document_refused
401 auth           credentials_wrong
403 config         permission_missing
404 config         destination_missing
408 transient      provider_down
409 config         destination_missing
412 conflict       exists
413 item_permanent document_refused
418 item_permanent document_refused
423 transient      locked
429 rate_limited   rate_limited
500 transient      provider_down
503 transient      provider_down
507 config         quota_full
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_a_status_is_classed(line: str):
    status, kind, reason = line.split()
    error = of_status(int(status))

    assert (error.kind, error.reason.value) == (kind, reason)


def test_a_manifest_refines_the_table_by_status_and_content():
    rules = [
        ErrorRule.model_validate(
            {
                "status": 403,
                "contains": "OverQuota",
                "kind": "config",
                "reason": "quota_full",
                "message": {"en": "The plan is full.", "de": "Der Tarif ist voll."},
            }
        )
    ]
    refined, plain = of_status(403, rules, body="<OverQuota/>"), of_status(403, rules, body="else")

    assert refined.reason is Reason.QUOTA_FULL
    assert refined.text.said("de-AT") == "Der Tarif ist voll."
    assert plain.reason is Reason.PERMISSION_MISSING


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("86400", LONGEST_WAIT),
        ("9" * 5000, LONGEST_WAIT),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 12:01:00 GMT", LONGEST_WAIT),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_a_wait_is_seconds_or_a_date_and_has_an_end(header: str | None, seconds: float | None):
    assert waiting(header, NOW) == seconds


def test_a_locked_file_is_no_locked_account() -> None:
    file, account = of_status(423), ProviderError("auth", Reason.LOCKED, "Locked.")

    assert (file.reason, file.of_account) == (Reason.LOCKED, Reason.PROVIDER_DOWN)
    assert account.of_account is Reason.LOCKED


def test_an_error_says_its_sentence_and_holds_no_more():
    error = ProviderError("auth", Reason.CREDENTIALS_WRONG, words("login_refused"))

    assert str(error) == "credentials_wrong: The provider did not accept the login. Check what you entered."
    assert error.text.said("fr") == "Le fournisseur a refusé la connexion. Vérifiez votre saisie."
    assert not error.later
