"""The life of a request: the whole server, in order."""

from __future__ import annotations

import logging
from typing import Any, Final

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.names import is_bucket_name
from trivium.buckets.record import OBJECTS
from trivium.buckets.repo.names import split
from trivium.s3.address import about, address
from trivium.s3.answer import write, write_fault
from trivium.s3.call import Call
from trivium.s3.headers import refuse_headers
from trivium.s3.messages import Request, Response, Target
from trivium.s3.operations import load_all
from trivium.s3.registry import Operation, route
from trivium.s3.signing.authenticate import authenticate
from trivium.s3.signing.claim import Claim
from trivium.s3.signing.content import document, no_body, says_of_body
from trivium.s3.sources import HEADER as COPY_SOURCE
from trivium.s3.sources import copy_source
from trivium.s3.xml_reading import read as read_document
from trivium.services.access.decide import decide, decide_outside
from trivium.services.access.guarded import Watch, check_upload, guarded
from trivium.services.catalog import Opened
from trivium.services.house import House

# DeleteObjects of 1,000 keys of 1,024 bytes is the largest AWS has; XML may make four bytes of one here
MAX_DOCUMENT_BYTES: Final = 4 << 20
_WITHOUT: Final = {  # what to say of a bucket that lacks the feature, where there is more to say
    "writes": "This bucket can only be read.",
    "current": "A bucket as it was in the past cannot be changed.",
    "removable": "This bucket cannot be deleted by a request.",
}

_OURS: Final = (faults.InternalError, faults.InsufficientStorage)  # nothing that a client could do about
_log = logging.getLogger("trivium.serve")
load_all()


async def serve(house: House, request: Request) -> Response:
    """The answer to the request. It never raises: what goes wrong is an answer too."""
    try:
        target = address(request)
        operation = route(request, target)
        request.action = operation.name
        claim = authenticate(request, house.users)
        request.account = claim.account.id
        if claim.presigned and COPY_SOURCE in request.headers:  # in the query no route had seen it
            operation = route(request, target)
            request.action = operation.name
        call = await bind(house, operation, request, target, claim)
        reply = await operation.handler(call)
        return write(operation, reply, request)
    except Fault as fault:
        if fault.kind in _OURS:
            _log.exception("request %s failed: %s", request.id, about(request))
        return write_fault(fault, request)
    except Exception:  # the one place where what nobody foresaw becomes an answer
        _log.exception("request %s failed: %s", request.id, about(request))
        return write_fault(faults.InternalError(), request)


async def bind(
    house: House, operation: Operation, request: Request, target: Target, claim: Claim,
) -> Call[Any]:
    """The call: input parsed, buckets opened, features present, everything permitted."""
    opened = None
    if operation.opens and target.bucket:
        try:
            opened = await house.catalog.open(target.bucket)
        except Fault as fault:
            raise _unopened(fault, target.bucket, request) from None
        watch = permit(operation, claim, opened, request)
        if watch is not None:
            opened = guarded(opened, watch)
            if "uploadId" in operation.selectors:
                await check_upload(house.uploads, watch, target.key, request.query["uploadId"])
    else:
        decide_outside(claim.account)
    source = await _open_source(house, operation, request, claim) if operation.source else None
    refuse_headers(request, operation.refuses)
    found = operation.bind(request)
    if operation.document is not None:
        data = await document(request, claim, MAX_DOCUMENT_BYTES)
        if data or not operation.document.optional:
            found[operation.document_field] = read_document(
                operation.document.root, operation.document_shape, data)
    elif operation.bodiless and says_of_body(request, claim):
        refuse = request.listener.dialect.refuses_bodies or operation.source != ""
        await no_body(request, claim, MAX_DOCUMENT_BYTES, refuse=refuse)
    return Call(house, request, operation.ask(**found), claim, target.bucket, target.key, opened, source)


def _unopened(fault: Fault, name: str, request: Request) -> Fault:
    """Why there is no such bucket: where all are named by AWS's rules, some names no bucket can have."""
    by_the_rules = request.listener.dialect.aws_bucket_names and request.listener.creates == OBJECTS
    if fault.kind is faults.NoSuchBucket and by_the_rules:
        plain, _, _ = split(name)[1].partition("@")  # without the commit or the time of a view of the past
        if not is_bucket_name(plain):
            return faults.InvalidBucketName(BucketName=name)
    return fault


def permit(operation: Operation, claim: Claim, opened: Opened, request: Request) -> Watch | None:
    """Raise AccessDenied or NotImplemented unless the caller may do this, and the bucket can.

    Where more is to be decided when it is known what is in the bucket, the answer is who watches.
    """
    versioned = operation.allow_version and request.query_string and "versionId" in request.query
    action = operation.allow_version if versioned else operation.allow
    watched = decide(claim.account, action, opened.record)
    if operation.allow_tags and request.headers.get("x-amz-tagging"):
        decide(claim.account, operation.allow_tags, opened.record)
    expected = request.headers.get("x-amz-expected-bucket-owner")
    if expected is not None and expected != opened.record.owner:
        raise faults.AccessDenied()
    if operation.needs and not getattr(opened.bucket.features, operation.needs):
        raise faults.NotImplemented_(
            _WITHOUT.get(operation.needs, ""), BucketName=opened.record.name, Operation=operation.name)
    return Watch(claim.account, action, opened.record) if watched else None


async def _open_source(house: House, operation: Operation, request: Request, claim: Claim) -> Opened:
    name = copy_source(request).bucket
    try:
        opened = await house.catalog.open(name)
    except Fault as fault:
        found = _unopened(fault, name, request)
        if found.kind is faults.InvalidBucketName:
            raise faults.InvalidArgumentBucketName(
                ArgumentName=COPY_SOURCE, ArgumentValue=request.headers[COPY_SOURCE]) from None
        raise found from None
    watched = decide(claim.account, operation.source, opened.record)
    expected = request.headers.get("x-amz-source-expected-bucket-owner")
    if expected is not None and expected != opened.record.owner:
        raise faults.AccessDenied()
    return guarded(opened, Watch(claim.account, operation.source, opened.record)) if watched else opened
