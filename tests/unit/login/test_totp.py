"""Secrets of authenticator apps, however they are given, and the codes of RFC 6238."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from providers.errors import ProviderError
from providers.login.totp import code, read

SEEDS = {
    "SHA1": b"12345678901234567890",
    "SHA256": b"12345678901234567890123456789012",
    "SHA512": b"1234567890" * 6 + b"1234",
}
CODES = {
    59: ("94287082", "46119246", "90693936"),
    1111111109: ("07081804", "68084774", "25091201"),
    2000000000: ("69279037", "90698825", "38618901"),
    20000000000: ("65353130", "77737706", "47863826"),
}


@pytest.mark.parametrize("at", CODES)
@pytest.mark.parametrize("number", range(3))
def test_the_codes_are_those_of_the_rfc(at: int, number: int) -> None:
    algorithm, seed = list(SEEDS.items())[number]
    secret = base64.b32encode(seed).decode().rstrip("=")
    kept = read(f"otpauth://totp/x?secret={secret}&digits=8&algorithm={algorithm}")

    assert code(kept, datetime.fromtimestamp(at, UTC)) == CODES[at][number]


@pytest.mark.parametrize(
    "given",
    [
        "JBSWY3DPEHPK3PXP",
        " jbsw y3dp ehpk 3pxp ",
        "JBSW-Y3DP-EHPK-3PXP==",
        "otpauth://totp/Portal:jane?secret=JBSWY3DPEHPK3PXP&issuer=Portal",
        "OTPAUTH://TOTP/x?SECRET=jbswy3dpehpk3pxp",
    ],
)
def test_a_secret_is_read_however_it_is_typed(given: str) -> None:
    assert read(given) == "otpauth://totp/?secret=JBSWY3DPEHPK3PXP&digits=6&period=30&algorithm=SHA1"


def test_signs_that_are_mistaken_for_others_are_put_right() -> None:
    assert "secret=LOBLOBLOBLOBLOBL&" in read("1o81o8LOBlobL0BI".replace("I", "1").replace("i", "1"))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "hunter2!",
        "123456",
        "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP&counter=1",
        "otpauth://totp/x",
        "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&digits=40",
        "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&period=0",
        "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&algorithm=MD5",
        "data:image/png;base64,AAAA",
        "data:image/svg+xml;base64,PHN2Zy8+",
    ],
)
def test_what_is_no_secret_is_told_with_its_field(given: str) -> None:
    with pytest.raises(ProviderError) as wrong:
        read(given, "totp_secret")

    assert wrong.value.field == "totp_secret"
    assert not given or given not in str(wrong.value)
