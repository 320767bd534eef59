"""What is known of the files of a mount beside the files themselves: a row a file.

Theory of operation. A note holds for one content of a file, the one whose mark it carries; when the file's
mark is another, somebody else has changed the file. The ETag of a content is said by its writer or decided
by the first look at it, and then kept, so that PUT, GET, HEAD and LIST always show the same. ETag and
attributes belong to the content: a new look that finds the same MD5 (the file was only touched, moved back or
restored) keeps them, any other drops them.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Sequence
from itertools import islice
from typing import Final

import msgspec

from trivium.base.digests import Checksum
from trivium.buckets.entry import NULL, Attributes, Entry
from trivium.storage import keys
from trivium.storage.engine import Read, Write
from trivium.storage.records import Records
from trivium.under.names import is_folder
from trivium.under.store import Stat

EMPTY_MD5: Final = hashlib.md5(b"", usedforsecurity=False).hexdigest()
# notes of files that are gone: so many a listing reads before it asks for each key
_SPARE_ROWS: Final = 1_000
_TYPES: Final = mimetypes.MimeTypes(filenames=()).types_map[True]  # the same on all machines
_COMPRESSED: Final = {".gz": "application/gzip", ".bz2": "application/x-bzip2", ".xz": "application/x-xz"}


class FileNote(msgspec.Struct, frozen=True, array_like=True):
    """Facts about the content of `mark`. `seq` is that of the write, 0 where others wrote.

    `implied`: a folder that was only made, or is only left, because keys lie in it. It goes with the last
    of them. `md5`: that of the content, in hexadecimal, where `etag` is another; else "".
    """

    mark: str
    etag: str
    seq: int
    attributes: Attributes = Attributes()
    checksum: Checksum | None = None
    implied: bool = False
    md5: str = ""


NOTES: Final = Records(FileNote)


def get(rows: Read, bucket: int, key: str) -> FileNote | None:
    """The note of the key, whichever content of it that is about."""
    data = rows.get(keys.file(bucket, key))
    return None if data is None else NOTES.decode(data)


def put(tx: Write, bucket: int, key: str, note: FileNote) -> None:
    tx.put(keys.file(bucket, key), NOTES.encode(note))


def forget(bucket: int, key: str, note: FileNote, tx: Write) -> None:
    """Remove the note, unless another has taken its place."""
    if get(tx, bucket, key) == note:
        tx.delete(keys.file(bucket, key))


def imply(tx: Write, bucket: int, folder: str) -> None:
    """Note that the folder is there only because something lies in it."""
    put(tx, bucket, folder, FileNote("", EMPTY_MD5, tx.sequence(), implied=True))


def of_page(rows: Read, bucket: int, page: Sequence[Stat]) -> dict[str, FileNote]:
    """The notes of the keys of a page, and of keys in between whose files may be gone."""
    if not page:
        return {}
    first, last = page[0].name, page[-1].name
    found = rows.scan(keys.file(bucket, first), keys.file(bucket, last) + b"\x00")
    most = len(page) + _SPARE_ROWS
    notes = {keys.read_current(row): NOTES.decode(data) for row, data in islice(found, most)}
    if len(notes) == most:
        for stat in page:
            note = None if stat.name in notes else get(rows, bucket, stat.name)
            if note is not None:
                notes[stat.name] = note
    return notes


def holding(note: FileNote | None, stat: Stat, owner: str) -> FileNote | None:
    """What is known of what is there now; None when it has to be looked at, which no folder has to."""
    if note is not None and note.mark == stat.mark:
        return note
    return FileNote(stat.mark, EMPTY_MD5, 0, Attributes(owner=owner)) if is_folder(stat.name) else None


def looked_at(stat: Stat, etag: str, older: FileNote | None, owner: str) -> FileNote:
    """What is known after a look at a content that somebody else has put there, perhaps the one of before."""
    if older is not None and etag in (older.etag, older.md5):
        return msgspec.structs.replace(older, mark=stat.mark)
    return FileNote(stat.mark, etag, 0, Attributes(owner=owner))


def entry_of(stat: Stat, note: FileNote) -> Entry:
    """The entry of a file or folder of which that is known."""
    attributes = note.attributes
    if not attributes.content_type:
        attributes = msgspec.structs.replace(attributes, content_type=guessed_type(stat.name))
    return Entry(
        stat.name, note.seq, stat.modified_ms, stat.size, note.etag, NULL, attributes=attributes,
        checksum=note.checksum)


def etag_of_facts(stat: Stat) -> str:
    """An ETag for a content that nobody reads now: made of its mark; like a multipart ETag it is no MD5."""
    return hashlib.md5(stat.mark.encode(), usedforsecurity=False).hexdigest() + "-1"


def guessed_type(key: str) -> str:
    """The content type that the extension of the key suggests; "" when it suggests none."""
    if is_folder(key):
        return "application/x-directory"
    stem, _, extension = key.rpartition("/")[2].rpartition(".")
    if not stem:  # a file whose whole name is `.txt` has no extension
        return ""
    extension = "." + extension.lower()
    return _COMPRESSED.get(extension) or _TYPES.get(extension, "")
