"""Uploads of one house: begin, add parts, look, complete, abort, and let go of what was abandoned."""

from __future__ import annotations

from itertools import islice

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.incoming import Incoming
from trivium.base.span import Span
from trivium.buckets.bucket import Reading
from trivium.buckets.entry import Attributes
from trivium.buckets.record import BucketRecord, Ground, confirm
from trivium.services.access.users import ANONYMOUS
from trivium.services.catalog import Opened
from trivium.services.uploads import expiry, finishing
from trivium.services.uploads.completion import Asked, Rules, other_algorithm
from trivium.services.uploads.copies import copied
from trivium.services.uploads.groups import GROUPS, Part
from trivium.services.uploads.records import (
    RUNNING,
    UNASKED,
    UPLOADS,
    Completed,
    Upload,
    group_rows,
    is_running,
    known,
    put_part,
    put_upload,
    running,
)
from trivium.storage import blobs, keys
from trivium.storage.blobs import Blob, BlobSpan
from trivium.storage.engine import Read, Write

_TIME_DIGITS = 12  # milliseconds in hexadecimal, until the year 10889: upload ids order as uploads began
_RANDOM_DIGITS = 24


class Uploads:
    """Uploads in parts, found by the bucket's record, the key and the id: all three must agree."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def create(
        self, record: BucketRecord, key: str, attributes: Attributes, *, initiator: str, algorithm: str = "",
        type: str = "",
    ) -> Upload:
        """Begin an upload. `algorithm` and `type` are the checksum asked for, or "".

        Raises NoSuchBucket, and AccessDenied for nobody: only who began an upload may go on with it.
        """
        if initiator == ANONYMOUS.id:
            raise faults.AnonymousAccessForbidden(
                "Anonymous users cannot initiate multipart uploads. Please authenticate.")
        now_ms = self._ground.clock.now_ms()
        id = f"{now_ms:0{_TIME_DIGITS}x}{self._ground.ids.hexadecimal(_RANDOM_DIGITS)}"
        upload = Upload(id, record.id, record.name, key, now_ms, initiator, attributes, algorithm, type)

        def change(tx: Write) -> Upload:
            confirm(tx, record)
            put_upload(tx, upload)
            return upload

        return await self._ground.engine.write(change)

    async def find(self, record: BucketRecord, key: str, upload_id: str) -> Upload:
        """The running upload. Raises NoSuchUpload."""
        return await self._ground.engine.read(lambda tx: running(tx, record, key, upload_id))

    async def known(self, record: BucketRecord, key: str, upload_id: str) -> Upload:
        """The upload in any state. Raises NoSuchUpload."""
        return await self._ground.engine.read(lambda tx: known(tx, record, key, upload_id))

    async def put_part(self, upload: Upload, number: int, incoming: Incoming) -> Part:
        """Add a part to a running upload, or replace the one of this number. What is written last counts.

        Raises NoSuchUpload, InvalidRequest (a checksum by another algorithm than the upload's) and what the
        bytes' own checks raise.
        """
        check_algorithm(upload, incoming.checksum)
        incoming.also(upload.kept_algorithm)
        blob = await self._write(incoming)
        receipt = incoming.receipt
        spans = (BlobSpan(blob.id, 0, blob.size),) if blob is not None else ()
        kept, sent = receipt.checksum(upload.kept_algorithm), receipt.checksum(incoming.checksum)
        part = Part(
            number, receipt.size, receipt.md5, kept.value, spans, self._ground.clock.now_ms(),
            sent if sent.algorithm != kept.algorithm else None)
        return await self._add(upload, part, blob)

    async def copy_part(
        self, upload: Upload, number: int, reading: Reading, span: Span | None = None,
    ) -> Part:
        """Add a part that is the span of another object, or all of it. What rests in blobs is shared, not
        moved.

        The span lies within the object. Raises NoSuchUpload, and NoSuchKey when the source went for good
        meanwhile.
        """
        source = await copied(number, reading, span, upload.kept_algorithm)
        if isinstance(source, Incoming):
            return await self.put_part(upload, number, source)
        now_ms = self._ground.clock.now_ms()
        return await self._add(
            upload, Part(number, source.size, source.etag, source.checksum, source.spans, now_ms), None)

    async def parts(
        self, record: BucketRecord, key: str, upload_id: str, *, after: int = 0, limit: int = 10_000,
    ) -> tuple[Upload, list[Part]]:
        """The upload and up to `limit` of its parts with numbers above `after`, in order. Raises
        NoSuchUpload.
        """

        def look(tx: Read) -> tuple[Upload, list[Part]]:
            upload = running(tx, record, key, upload_id)
            groups = (GROUPS.decode(value) for _, value in group_rows(tx, upload, after=after))
            behind = (part for group in groups for part in group.parts if part.number > after)
            return upload, list(islice(behind, limit))

        return await self._ground.engine.read(look)

    async def list(
        self, record: BucketRecord, prefix: str, start: str, marker: str | None, limit: int,
    ) -> list[Upload]:
        """Up to `limit` running uploads whose keys have the prefix, by key, then time, from the key `start`
        on (included).

        With a `marker`, an upload id, only uploads of `start` behind that one count, then all of the keys
        behind.
        """
        first = keys.upload(record.id, max(prefix, start), "")
        if marker is not None and start >= prefix:
            first = keys.upload(record.id, start, marker) + b"\x00"

        def look(tx: Read) -> list[Upload]:
            found: list[Upload] = []
            for _, value in tx.scan(first, keys.after(keys.of_bucket(keys.UPLOAD, record.id))):
                upload = UPLOADS.decode(value)
                if not upload.key.startswith(prefix) or len(found) == limit:
                    break
                if upload.state == RUNNING:
                    found.append(upload)
            return found

        return await self._ground.engine.read(look)

    async def complete(
        self, opened: Opened, key: str, upload_id: str, asked: Asked, rules: Rules,
    ) -> Completed:
        """Make the object, all at once. The same request again gets the same answer until the expiry forgets
        it.

        Raises NoSuchUpload, what `completion.assemble` raises, what `asked.only_if` raises, and
        OperationAborted when parts were replaced again and again meanwhile.
        """
        return await finishing.complete(self._ground, opened, key, upload_id, asked, rules)

    async def abort(
        self, record: BucketRecord, key: str, upload_id: str, *, initiated_ms: int | None = None,
    ) -> None:
        """Give up a running upload. Raises NoSuchUpload, and PreconditionFailed when it began in another
        second.
        """
        now_ms = self._ground.clock.now_ms()

        def change(tx: Write) -> bool:
            upload = running(tx, record, key, upload_id)
            if initiated_ms is not None and upload.initiated_ms // 1000 != initiated_ms // 1000:
                raise faults.PreconditionFailed(Condition="x-amz-if-match-initiated-time")
            return expiry.give_up(tx, upload, now_ms=now_ms)

        if not await self._ground.engine.write(change):
            await expiry.finish(self._ground, keys.upload(record.id, key, upload_id), now_ms=now_ms)

    async def expire(self, now_ms: int, *, older_than_ms: int) -> int:
        """Abort running uploads that began `older_than_ms` or more before `now_ms`, and forget what is over.

        Completed uploads are forgotten after `expiry.REMEMBERED_MS`, uploads of buckets that are gone at
        once. Returns how many uploads went. Each transaction is small, and each is safe to be cut off or run
        by several processes at once.
        """
        return await expiry.expire(self._ground, now_ms, older_than_ms=older_than_ms)

    async def _write(self, incoming: Incoming) -> Blob | None:
        if incoming.size == 0:
            await incoming.whole()
            return None
        blob = await self._ground.blobs.write(incoming.chunks())
        if blob.size == 0:
            await self._ground.blobs.remove(blob.id)
            return None
        return blob

    async def _add(self, upload: Upload, part: Part, blob: Blob | None) -> Part:
        """Write the part's row. A fresh `blob` is named, else the part shares what others own."""

        def change(tx: Write) -> Part:
            if not is_running(tx, upload):
                raise faults.NoSuchUpload(UploadId=upload.id)
            if blob is not None:
                blobs.name(tx, blob)
            else:
                for span in part.spans:
                    blobs.share(tx, span.id)
            put_part(tx, upload, part, now_ms=part.modified_ms)
            return part

        try:
            return await self._ground.engine.write(change)
        except Fault as fault:
            # A refusal came before the commit. After the engine's own failure nobody knows: then sweep.
            if blob is not None and fault.kind.status < faults.InternalError.status:
                await self._ground.blobs.remove(blob.id)
            raise


def check_algorithm(upload: Upload, sent: str) -> None:
    """Raise InvalidRequest when a part came with a checksum by another algorithm than its upload's.

    `UNASKED` is what comes with parts that carry none.
    """
    if upload.algorithm and sent not in (upload.algorithm, UNASKED):
        raise other_algorithm(upload, sent)
