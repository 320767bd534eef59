"""Answers: a Reply or a Fault as status, headers and body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.s3.fields import http_time, iso_time
from trivium.s3.messages import Request, Response
from trivium.s3.registry import Operation
from trivium.s3.xml import error
from trivium.s3.xml import write as write_document

_XML: Final = ("content-type", "application/xml")
# Facts of faults that go out as headers. They are ours: what a client said (a VersionId that is not there) is
# never one.
_FACT_HEADERS: Final = {
    # AWS, GetObject
    faults.KeyIsDeleteMarker: {"DeleteMarker": "x-amz-delete-marker", "VersionId": "x-amz-version-id"},
    faults.VersionIsDeleteMarker: {
        "DeleteMarker": "x-amz-delete-marker", "VersionId": "x-amz-version-id",
        "LastModified": "last-modified"},  # AWS, HeadObject, "Versioning"
    faults.NotModified: {
        "ETag": "etag", "LastModified": "last-modified", "CacheControl": "cache-control",
        "Expires": "expires", "VersionId": "x-amz-version-id"},  # RFC 9110 §15.4.5
    faults.MethodNotAllowed: {"Allow": "allow"},  # RFC 9110 §15.5.6
}


# Any: the operation's own Reply type
def write(operation: Operation, reply: Any, request: Request) -> Response:
    """The answer to a request that was fulfilled."""
    headers = [("x-amz-request-id", request.id), ("x-amz-id-2", request.id)]
    operation.write_headers(reply, headers)
    if operation.answer is not None:
        headers.append(_XML)
        value, xmlns = getattr(reply, operation.answer_field), request.listener.dialect.xmlns
        return Response(
            operation.status, headers, write_document(operation.answer.root, value, xmlns=xmlns))
    body = getattr(reply, "body", b"")
    return Response(getattr(reply, "status", operation.status), headers, body)


def write_fault(fault: Fault, request: Request) -> Response:
    """The answer to a request that was refused; HEAD and 304 have no body."""
    kind = fault.kind
    request.fault = kind.name
    headers = [("x-amz-request-id", request.id), ("x-amz-id-2", request.id)]
    headers += [
        (header, _said(name, fault.facts[name], http_time))
        for name, header in _FACT_HEADERS.get(kind, {}).items() if name in fault.facts]
    if kind is faults.VersionIsDeleteMarker:
        headers.append(("allow", "DELETE"))  # AWS, GetObject: a delete marker can only be deleted
    if kind.status == 304:
        return Response(304, headers)
    headers.append(_XML)
    fine = request.listener.dialect.fine_faults
    code, status = (kind.fine, kind.fine_status) if fine else (kind.code, kind.status)
    if request.method == "HEAD":
        return Response(status, headers)
    facts = {name: _said(name, fact, iso_time) for name, fact in fault.facts.items()}
    return Response(
        status, headers, error(code, fault.message, facts, resource=request.path, request_id=request.id))


def _said(name: str, fact: str | int, as_time: Callable[[int], str]) -> str:
    """A fact as text. LastModified is one in ms since 1970: headers and documents write times differently."""
    return as_time(int(fact)) if name == "LastModified" else str(fact)
