"""A login by signed requests, as data, at a server that checks them: AWS's STS and S3 as moto plays them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import httpx
import pytest
from targets import moto_s3

from providers.egress import Guard
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Authorized, Outcome
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import Reason

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
MANIFEST = Manifest.model_validate(
    {
        "id": "signed", "name": "Signed", "summary": "S", "categories": ["storage"], "directions": ["export"],
        "login": [
            {
                "ask": "credentials",
                "fields": [
                    {"name": "url", "label": "Address", "type": "url", "required": True, "destination": True},
                    {"name": "key_id", "label": "Key id", "required": True},
                    {"name": "key", "label": "Key", "type": "password", "secret": True, "required": True},
                ],
            },
            {
                "call": {
                    "method": "POST",
                    "url": "{url}/",
                    "form": {"Action": "GetCallerIdentity", "Version": "2011-06-15"},
                    "aws_v4": {
                        "access_key_id": "{key_id}", "secret_access_key": "{key}",
                        "region": "eu-central-1", "service": "sts",
                    },
                },
                "take": {"arn": {"body": "text", "pattern": "<Arn>([^<]+)</Arn>"}},
                "then": [{"status": 403, "error": "credentials_wrong", "field": "key"}],
            },
            {"keep": {}, "identity": "{arn}"},
        ],
        "driver": {
            "kind": "object",
            "settings": {
                "endpoint": "{url}", "region": "eu-central-1", "bucket": "firm",
                "access_key_id": "{key_id}", "secret_access_key": "{key}",
            },
        },
    }
)  # fmt: skip


@dataclass
class Cloud:
    """A server that takes no request unless it is signed by Jane's key."""

    url: str
    key_id: str
    key: str


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with moto_s3(tmp_path_factory.mktemp("moto")) as target:
        by = {"endpoint_url": target.url, "region_name": "us-east-1"}
        session = boto3.Session("admin", "admin")
        iam = session.client("iam", **by)
        iam.create_user(UserName="jane")
        iam.put_user_policy(UserName="jane", PolicyName="all", PolicyDocument=POLICY)
        key = iam.create_access_key(UserName="jane")["AccessKey"]
        session.client("s3", **by).create_bucket(Bucket="firm")
        httpx.post(f"{target.url}/moto-api/reset-auth", content=b"0").raise_for_status()
        yield Cloud(target.url, key["AccessKeyId"], key["SecretAccessKey"])


async def login(cloud: Cloud, **typed: str) -> Outcome:
    asked = begin(MANIFEST, {}, "en")
    fields = {"url": cloud.url, "key_id": cloud.key_id, "key": cloud.key, **typed}
    async with Reach(Guard(["127.0.0.0/8"])) as reach:
        return await step(MANIFEST, asked.state, Answer(fields), reach, "en")


async def test_a_request_that_is_signed_with_the_key_says_whose_it_is(cloud: Cloud) -> None:
    done = await login(cloud)

    assert isinstance(done, Authorized), done
    assert done.identity is not None
    assert done.identity.endswith(":user/jane")


async def test_a_signature_by_another_key_is_refused_beside_its_field(cloud: Cloud) -> None:
    again = await login(cloud, key="wrong")

    assert isinstance(again, Asked), again
    assert again.error is not None
    assert (again.error.reason, again.blamed) == (Reason.CREDENTIALS_WRONG, "key")


@pytest.mark.parametrize("beside", [{"follow": 1}, {"basic": {"username": "a", "password": "b"}}])
def test_what_would_break_the_signature_is_no_manifest(beside: dict[str, object]) -> None:
    whole = MANIFEST.wire()
    whole["login"][1]["call"] |= beside
    with pytest.raises(ValueError, match="signs one request"):
        Manifest.model_validate(whole)
