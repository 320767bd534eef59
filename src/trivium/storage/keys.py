"""The key layout: the only file that knows how tuples become ordered bytes.

Theory of operation. A key is a table (one byte), then fixed-width big-endian numbers and, where there is one,
an object key as UTF-8, whose bytes order as its code points do. An object key that is followed by more is
escaped (0x00 becomes 0x00 0xFF) and ended by 0x00 0x01, so that tuples order as their members do. `~seq`
counts down: newest first.
"""

from __future__ import annotations

from typing import Final

META: Final = b"m"  # house: format, secrets, counters                     m name
CATALOG: Final = b"b"  # buckets by name                                   b name
CURRENT: Final = b"c"  # newest entry of a key                             c bucket key
OLD: Final = b"o"  # earlier entries, newest first                         o bucket key ~seq
LOG: Final = b"l"  # journal                                               l bucket seq
DOCUMENT: Final = b"d"  # configuration documents of a bucket              d bucket name
UPLOAD: Final = b"u"  # running and just completed multipart uploads       u bucket key upload-id
PART: Final = b"p"  # parts of an upload                                   p upload-id number
BLOB: Final = b"f"  # blobs that are named by a row                        f blob-id
LAYOUT: Final = b"y"  # lists of spans: what multipart objects are made of y layout-id
SHARE: Final = b"r"  # how many owners a blob or layout has, when not one  r id
GARBAGE: Final = b"g"  # blobs and layouts that nobody owns any more       g since-ms seq
COMMIT: Final = b"h"  # history: the commits of a branch                   h bucket number
BRANCH: Final = b"n"  # branches of a repository                           n repository name
GONE: Final = b"x"  # deleted buckets whose rows have not all gone yet     x bucket
FILE: Final = b"w"  # what is known of the files of a mount                w bucket key
TOKEN: Final = b"t"  # what was done under clients' tokens                 t bucket actor token
ASIDE: Final = b"z"  # rows that could not be read, as they were            z seq row
TABLES: Final = (
    META, CATALOG, CURRENT, OLD, LOG, DOCUMENT, UPLOAD, PART, BLOB, LAYOUT, SHARE, GARBAGE, COMMIT, BRANCH,
    GONE, FILE, TOKEN, ASIDE,
)
_OF_BUCKETS: Final = (CURRENT, OLD, LOG, DOCUMENT, UPLOAD, COMMIT, GONE, FILE, TOKEN)
BODIED: Final = (CURRENT, OLD, ASIDE)  # tables whose rows may have a body beside their value

_MAX: Final = 0xFFFF_FFFF_FFFF_FFFF
_END: Final = b"\x00\x01"


def shown(row: bytes) -> str:
    """The key of a row in printable characters: its table, its bucket where it has one, and the rest."""
    table, rest = row[:1], row[1:]
    bucket = f"{read_number(rest)} " if table in _OF_BUCKETS else ""
    return f"{table.decode()} {bucket}{(rest[8:] if bucket else rest).decode(errors='backslashreplace')!a}"


def number(value: int) -> bytes:
    """Eight bytes that order as the numbers 0 to 2**64-1 do."""
    return value.to_bytes(8, "big")


def read_number(data: bytes) -> int:
    """The number that the first eight bytes stand for."""
    return int.from_bytes(data[:8], "big")


def after(prefix: bytes) -> bytes:
    """The first key behind all that start with `prefix` (which must not be all 0xFF)."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,))


def text(table: bytes, name: str) -> bytes:
    """A key of a table whose rows have one text as their name."""
    return table + name.encode()


def of_bucket(table: bytes, bucket: int) -> bytes:
    """The prefix of all the table's rows that belong to the bucket."""
    return table + bucket.to_bytes(8, "big")


def document(bucket: int, name: str) -> bytes:
    """Where a configuration document of the bucket stands."""
    return of_bucket(DOCUMENT, bucket) + name.encode()


def current(bucket: int, key: str) -> bytes:
    """Where the newest entry of `key` stands."""
    return b"c" + bucket.to_bytes(8, "big") + key.encode()


def read_current(row: bytes) -> str:
    """The object key in the key of a CURRENT or FILE row."""
    return row[9:].decode()


def branch(repository: str, name: str) -> bytes:
    """Where a branch of a repository stands."""
    return b"n" + ended(repository) + name.encode()


def branches(repository: str) -> bytes:
    """The prefix of all branches of a repository."""
    return b"n" + ended(repository)


def file(bucket: int, key: str) -> bytes:
    """Where stands what is known of a mount's file `key`."""
    return b"w" + bucket.to_bytes(8, "big") + key.encode()


def token(bucket: int, actor: str, name: str) -> bytes:
    """Where stands what somebody did in the bucket under a token."""
    return b"t" + bucket.to_bytes(8, "big") + ended(actor) + name.encode()


def ended(key: str) -> bytes:
    """An object key that something follows: ordered as the key is, and never a prefix of another."""
    return key.encode().replace(b"\x00", b"\x00\xff") + _END


def old(bucket: int, key: str, seq: int) -> bytes:
    """Where the entry of `key` written at `seq` stands once it is no longer the newest."""
    return b"o" + bucket.to_bytes(8, "big") + ended(key) + (_MAX - seq).to_bytes(8, "big")


def olds(bucket: int, key: str) -> bytes:
    """The prefix of all earlier entries of `key`, newest first."""
    return b"o" + bucket.to_bytes(8, "big") + ended(key)


def olds_with(bucket: int, prefix: str) -> bytes:
    """The prefix of all earlier entries of all keys that start with `prefix`."""
    return b"o" + bucket.to_bytes(8, "big") + ended(prefix).removesuffix(_END)


def read_old(row: bytes) -> tuple[str, int]:
    """The object key and the seq in the key of an OLD row."""
    return read_ended(row[9:-8]), _MAX - int.from_bytes(row[-8:], "big")


def read_ended(data: bytes) -> str:
    """The object key that `ended` wrote."""
    return data.removesuffix(_END).replace(b"\x00\xff", b"\x00").decode()


def numbered(table: bytes, bucket: int, seq: int) -> bytes:
    """A key of a table whose rows are a bucket's, in the order of a number."""
    return table + bucket.to_bytes(8, "big") + seq.to_bytes(8, "big")


def read_numbered(row: bytes) -> tuple[int, int]:
    """The bucket and the number in such a key."""
    return read_number(row[1:]), read_number(row[9:])


def upload(bucket: int, key: str, upload_id: str) -> bytes:
    """Where a multipart upload stands: by object key, then id, the order ListMultipartUploads wants."""
    return b"u" + bucket.to_bytes(8, "big") + ended(key) + upload_id.encode()


def finished(upload_id: str) -> bytes:
    """Where a completed upload stands, apart from the running ones: in bucket 0, which no bucket is."""
    return b"u" + bytes(8) + upload_id.encode()


def garbage(since_ms: int, seq: int) -> bytes:
    """Where stands what lost its last owner at that time: the longest gone first."""
    return GARBAGE + number(since_ms) + number(seq)


def aside(seq: int, row: bytes) -> bytes:
    """Where a row stands that was set aside at `seq`: the key that it had follows nine bytes."""
    return ASIDE + number(seq) + row


def read_aside(row: bytes) -> bytes:
    """The key that the row had before."""
    return row[9:]


def part(upload_id: str, part_number: int) -> bytes:
    """Where a part of an upload stands. Upload ids are of one length."""
    return b"p" + upload_id.encode() + part_number.to_bytes(2, "big")


def parts(upload_id: str) -> bytes:
    """The prefix of all parts of an upload."""
    return b"p" + upload_id.encode()
