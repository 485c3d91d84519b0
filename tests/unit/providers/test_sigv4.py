"""Signatures are those of AWS's own examples."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from providers.drivers.sigv4 import EMPTY, Keys, query_string

# "Example: GET Object" and "GET Bucket (List Objects)" of the S3 API reference, sig-v4-header-based-auth.
KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
AT = datetime(2013, 5, 24, tzinfo=UTC)


def test_a_get_is_signed_as_in_the_manual():
    url = "https://examplebucket.s3.amazonaws.com/test.txt"
    headers = KEYS.signed("GET", url, {"range": "bytes=0-9"}, EMPTY, AT)

    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_a_listing_is_signed_as_in_the_manual():
    url = "https://examplebucket.s3.amazonaws.com/?" + query_string({"prefix": "J", "max-keys": "2"})
    headers = KEYS.signed("GET", url, {}, EMPTY, AT)

    assert headers["authorization"].endswith(
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )


def test_the_next_day_is_signed_with_the_next_days_key_and_the_day_before_as_it_was():
    url = "https://examplebucket.s3.amazonaws.com/test.txt"
    moments = (AT, AT + timedelta(days=1), AT)
    fresh = [replace(KEYS).signed("GET", url, {}, EMPTY, at)["authorization"] for at in moments]

    assert [KEYS.signed("GET", url, {}, EMPTY, at)["authorization"] for at in moments] == fresh
    assert fresh[0] == fresh[2] != fresh[1]


def test_the_secret_is_in_no_repr():
    assert "wJalr" not in repr(KEYS)


# `ListUsers` of IAM, from the signing guide, and `get-vanilla` of AWS's own test suite.
GUIDE = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "iam")
SUITE = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
THEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


def test_a_request_to_another_service_is_signed_as_in_the_manual():
    url = "https://iam.amazonaws.com/?" + query_string({"Version": "2010-05-08", "Action": "ListUsers"})
    sent = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    headers = GUIDE.signed("GET", url, sent, EMPTY, THEN)

    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )
    assert "x-amz-content-sha256" not in headers


def test_a_key_that_was_given_for_a_while_comes_with_its_token_as_in_the_test_suite():
    token = (
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD"
        "8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q"
        "6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabI"
        "Qwj2ICCR/oLxBA=="
    )
    keys = replace(SUITE, session_token=token)
    headers = keys.signed("POST", "https://example.amazonaws.com/", {}, EMPTY, THEN)

    assert headers["x-amz-security-token"] == token
    assert headers["authorization"].endswith(
        "SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
    )
    assert token not in repr(keys)


def test_a_get_without_anything_is_signed_as_in_the_test_suite():
    headers = SUITE.signed("GET", "https://example.amazonaws.com/", {}, EMPTY, THEN)

    assert headers["authorization"].endswith(
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )
