"""Addresses: which bucket and key a request is about, path style or virtual host, below the base path."""

from __future__ import annotations

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.names import check_key, place
from trivium.s3.messages import BUCKET, OBJECT, SERVICE, Listener, Request, Target

_SERVICE = Target(SERVICE)


def address(request: Request) -> Target:
    """What the request is about. Raises InvalidURI outside the base path or for bad keys, and KeyTooLong.

    A key is everything behind the bucket's slash, byte for byte: nothing is normalised, `a//b` and `../a` are
    keys.
    """
    path, listener = request.path, request.listener
    if listener.base_path:
        path = _below(path, listener.base_path)
    bucket = virtual_bucket(request.headers.get("host", ""), listener) if listener.domains else ""
    if bucket:
        key = path[1:]
    else:
        bucket, _, key = path[1:].partition("/")
    if not bucket:
        if key:
            raise faults.InvalidURI(URI=request.path)
        return _SERVICE
    if not key:
        return Target(BUCKET, bucket)
    check_key(key)
    return Target(OBJECT, bucket, key)


def about(request: Request) -> str:
    """What the request asks for, for the log: the action, bucket and key, where they are known."""
    try:
        target = address(request)
    except Fault:
        return request.action
    return f"{request.action} of {place(target.bucket, target.key)}" if target.key else request.action


def _below(path: str, base: str) -> str:
    if path == base:
        return "/"
    if not path.startswith(base + "/"):
        raise faults.InvalidURI(URI=path)
    return path[len(base):]


def virtual_bucket(host: str, listener: Listener) -> str:
    """The bucket that the host names, in lower case; "" when it is none of the listener's domains."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    name = name.lower()
    for domain in listener.domains:
        if name.endswith("." + domain):
            return name[: -len(domain) - 1]
    return ""
