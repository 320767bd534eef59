"""The signed requests that AWS's manual shows."""

from __future__ import annotations

import pytest

from tests.unit.s3.signing.signed_requests import DIGEST, refusal
from tests.unit.s3.signing.signing_client import ACCESS_KEY, ALICE, AWS, EMPTY, USERS, authorization, request
from trivium.s3.messages import Request
from trivium.s3.signing.authenticate import authenticate

EXAMPLE_HOST = "examplebucket.s3.amazonaws.com"
MIDNIGHT = "20130524T000000Z"


def example(method: str, path: str, query: str, headers: dict[str, str], names: str, signed: str) -> Request:
    given = {"host": EXAMPLE_HOST, "authorization": authorization(names, signed), **headers}
    return request(method, path, query, given, at=MIDNIGHT)


EXAMPLES = {
    "GET Object": example(
        "GET",
        "/test.txt",
        "",
        {"range": "bytes=0-9", "x-amz-content-sha256": EMPTY, "x-amz-date": MIDNIGHT},
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "PUT Object": example(
        "PUT",
        "/test$file.text",
        "",
        {
            "date": "Fri, 24 May 2013 00:00:00 GMT",
            "x-amz-date": MIDNIGHT,
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "x-amz-content-sha256": DIGEST,
        },
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    "GET Bucket Lifecycle": example(
        "GET",
        "/",
        "lifecycle",
        {"x-amz-date": MIDNIGHT, "x-amz-content-sha256": EMPTY},
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "List Objects": example(
        "GET",
        "/",
        "max-keys=2&prefix=J",
        {"x-amz-date": MIDNIGHT, "x-amz-content-sha256": EMPTY},
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
    "presigned GET": request(
        "GET",
        "/test.txt",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        {"host": EXAMPLE_HOST},
        at=MIDNIGHT,
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_manual_are_signed_by_their_key(name: str) -> None:
    claim = authenticate(EXAMPLES[name], USERS)

    assert (ACCESS_KEY, ALICE) == (claim.access_key, claim.account)
    assert (name == "presigned GET") == claim.presigned


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_manual_are_refused_with_another_method(name: str) -> None:
    right = EXAMPLES[name]
    wrong = Request("DELETE", right.path, right.query_string, right.headers, AWS, at_ms=right.at_ms)

    assert "SignatureDoesNotMatch" == refusal(wrong).kind.name
