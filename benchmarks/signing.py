"""Checking signatures, as a ratio to the least that can be done: recompute them and look at nothing else.

Run: PYTHONPATH=src python benchmarks/signing.py [--floor FILE]. One line a case: microseconds of the floor,
microseconds of ours, ratio (below 1 is faster than the floor). The floor is `verify` of a module given by
--floor, called with a scope that has path, query_string, headers and method; without one, the same is written
below.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import importlib.util
import os
import timeit
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import quote, unquote

from trivium.base.incoming import Given
from trivium.s3.dialect import Dialect
from trivium.s3.messages import Listener, Request
from trivium.s3.signing.authenticate import authenticate
from trivium.services.access.users import Account, Credential, Users

ACCESS_KEY, SECRET_KEY = "minioadmin", "minioadminsecret"
DATE, SCOPE = "20261120T101010Z", "20261120/us-east-1/s3/aws4_request"
AT_MS = 1_795_169_410_000
USERS = Users([Credential(ACCESS_KEY, SECRET_KEY, Account("id", "name"))])
LISTENER = Listener(Dialect("aws"))
NOTHING = Given(b"")
SHA256 = hashlib.sha256(b"x" * 4096).hexdigest()


def key() -> bytes:
    derived = b"AWS4" + SECRET_KEY.encode()
    for part in SCOPE.split("/"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    return derived


KEY = key()


def sign(wanted: str) -> str:
    to_sign = f"AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{hashlib.sha256(wanted.encode()).hexdigest()}"
    return hmac.digest(KEY, to_sign.encode(), "sha256").hex()


def presigned(number: int, *, expires: int = 3600) -> SimpleNamespace:
    path = f"/bucket/some/key/name-{number:06d}.bin"
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential={quote(f'{ACCESS_KEY}/{SCOPE}', safe='')}&X-Amz-Date={DATE}"
        f"&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host"
    )
    signature = sign(f"GET\n{path}\n{query}\nhost:127.0.0.1:9000\n\nhost\nUNSIGNED-PAYLOAD")
    headers = {"host": "127.0.0.1:9000", "accept": "*/*", "user-agent": "wrk"}
    return SimpleNamespace(
        method="GET", path=path, query_string=f"{query}&X-Amz-Signature={signature}", headers=headers
    )


def signed_put(number: int) -> SimpleNamespace:
    path = f"/bucket/some/key/name-{number:06d}.bin"
    headers = {
        "host": "127.0.0.1:9000",
        "accept-encoding": "identity",
        "user-agent": "Boto3/1.44.5 md/Botocore#1.44.5",
        "content-type": "application/octet-stream",
        "content-length": "4096",
        "x-amz-checksum-crc32": "AAAAAA==",
        "x-amz-content-sha256": SHA256,
        "x-amz-date": DATE,
        "x-amz-sdk-checksum-algorithm": "CRC32",
    }
    names = sorted(name for name in headers if name.startswith("x-amz-") or name in ("host", "content-type"))
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    signature = sign(f"PUT\n{path}\n\n{lines}\n{';'.join(names)}\n{SHA256}")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE}, SignedHeaders={';'.join(names)},"
        f" Signature={signature}"
    )
    return SimpleNamespace(method="PUT", path=path, query_string="", headers=headers)


def ours(scopes: list[SimpleNamespace]) -> Callable[[], None]:
    def run() -> None:
        for scope in scopes:
            path, query, headers = scope.path, scope.query_string, scope.headers
            asked = Request(scope.method, path, query, headers, LISTENER, at_ms=AT_MS, body=NOTHING)
            authenticate(asked, USERS)

    return run


def floor(verify: Callable[[SimpleNamespace], bool], scopes: list[SimpleNamespace]) -> Callable[[], None]:
    def run() -> None:
        for scope in scopes:
            assert verify(scope)

    return run


def recompute(scope: SimpleNamespace) -> bool:
    """What every checker must do at least."""
    query, headers = scope.query_string, scope.headers
    if "X-Amz-Signature" in query:
        items = [tuple((part + "=").split("=", 2)[:2]) for part in query.split("&")]
        said = {name: unquote(value) for name, value in items}
        signature, names, payload = said["X-Amz-Signature"], said["X-Amz-SignedHeaders"], "UNSIGNED-PAYLOAD"
        query = "&".join(f"{name}={value}" for name, value in sorted(items) if name != "X-Amz-Signature")
    else:
        said = dict(part.strip().split("=", 1) for part in headers["authorization"][17:].split(","))
        signature, names, payload = said["Signature"], said["SignedHeaders"], headers["x-amz-content-sha256"]
    lines = "".join(f"{name}:{headers.get(name)}\n" for name in names.split(";"))
    wanted = f"{scope.method}\n{quote(scope.path, safe='/-_.~')}\n{query}\n{lines}\n{names}\n{payload}"
    return hmac.compare_digest(sign(wanted), signature)


def load(file: str) -> Callable[[SimpleNamespace], bool]:
    os.environ["FLOOR_SECRET"] = SECRET_KEY
    spec = importlib.util.spec_from_file_location("floor", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[SimpleNamespace], bool] = module.verify
    return found


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--floor", default="")
    chosen = arguments.parse_args()
    verify = load(chosen.floor) if chosen.floor else recompute
    cases = {
        "presigned GET, URLs signed in one second": [presigned(number) for number in range(2000)],
        "presigned GET, every URL read anew": [
            presigned(number, expires=1000 + number) for number in range(2000)
        ],
        "header PUT": [signed_put(number) for number in range(2000)],
    }
    for name, scopes in cases.items():
        runs = floor(verify, scopes), ours(scopes)
        rounds = [[timeit.timeit(run, number=1) for run in runs] for _ in range(9)]
        least, mine = (min(times) / len(scopes) * 1e6 for times in zip(*rounds, strict=True))
        print(f"{name}: floor {least:.2f} us, ours {mine:.2f} us, ratio {mine / least:.2f}")


if __name__ == "__main__":
    main()
