"""Bodies in aws-chunked framing: the framing goes, the bytes stay, and the signatures of chunks are checked.

Theory of operation. `Decoder` is a machine without input or output of its own: it is fed what has arrived, in
any pieces, and gives back the content found in them. A chunk is a line (its size in hexadecimal and, when
signed, `;chunk-signature=`), so many bytes, and a line break; a chunk of no bytes is the last, trailer lines
may follow it, an empty line ends the body. Each signature is chained to the one before, so a chunk can be
neither changed, dropped nor moved. `ChunkedSource` is the machine around a source. Bytes are given out before
the signature of their chunk is known: whoever stores them must not promise anything before the end.

Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in
Multiple Chunks" and "Including Trailing Headers"; which fault S3 answers is as versitygw's tests recorded it.
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Final

from trivium.base import faults
from trivium.base.incoming import Source
from trivium.s3.signing import payloads, v4
from trivium.s3.signing.claim import ChunkSigning, Payload

MIN_CHUNK_BYTES: Final = 8192  # of all chunks but the last, as S3's InvalidChunkSizeError says
MAX_LINE_BYTES: Final = 1024
MAX_TRAILERS: Final = 16
TRAILER_SIGNATURE: Final = "x-amz-trailer-signature"

_THREAD_FROM_BYTES: Final = 128 << 10  # hashing fewer is over before a thread has woken up
_WIRE_FACTOR: Final = 8  # a body may be read whole while its framing makes it at most so many times longer,
_WIRE_BYTES: Final = 8192  # and so many bytes more

_SIGNED_LINE = re.compile(rb"([0-9a-fA-F]{1,15});chunk-signature=([0-9a-f]{64})\r\n").fullmatch
_PLAIN_LINE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n").fullmatch
_BREAK = b"\r\n"


class _State(enum.Enum):
    """What comes next."""

    SIZE = enum.auto()
    DATA = enum.auto()
    BREAK = enum.auto()
    TRAILER = enum.auto()
    NOTHING = enum.auto()


class Decoder:
    """Takes aws-chunked framing away. `decoded_size` is how many content bytes are announced, or None.

    `trailers` are the trailer's values by lower-case name, without its signature, complete when the body has
    ended. Raises SignatureDoesNotMatch, IncompleteBody (its BodyTerminatedUnexpectedly for broken framing),
    InvalidChunkSizeError, MalformedTrailerError. After a fault the decoder is of no further use.
    """

    __slots__ = (
        "_chain", "_chunks", "_decoded", "_decoded_size", "_half_broken", "_left", "_payload", "_pending",
        "_proven", "_signature", "_size", "_state", "trailers",
    )

    def __init__(self, payload: Payload, decoded_size: int | None) -> None:
        self._payload, self._decoded_size = payload, decoded_size
        self._chain = None if payload.signing is None else _Chain(payload.signing)
        self._state, self._pending = _State.SIZE, b""
        self._decoded = self._chunks = self._size = self._left = 0
        self._signature = ""
        self._half_broken = self._proven = False
        self.trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> list[bytes]:
        """The content in the bytes that follow those fed before."""
        buffer = self._pending + data if self._pending else data
        at, end = 0, len(buffer)
        found: list[bytes] = []
        while at < end:
            if self._state is _State.DATA:
                piece = buffer[at : at + self._left]
                self._take_data(piece)
                found.append(piece)
                at += len(piece)
                continue
            line = _line(buffer, at, last=self._state is _State.NOTHING)
            if not line:
                break
            self._take_line(line)
            at += len(line)
        self._pending = buffer[at:]
        return found

    def finish(self) -> None:
        """There is no more. Raises unless the body had come to its end."""
        if self._state is not _State.NOTHING:
            raise _broken()

    def _take_data(self, piece: bytes) -> None:
        if self._chain is not None:
            self._chain.update(piece)
        self._left -= len(piece)
        if not self._left:
            self._state = _State.BREAK

    def _take_line(self, line: bytes) -> None:
        match self._state:
            case _State.SIZE:
                self._begin_chunk(line)
            case _State.BREAK if line == _BREAK:
                self._end_chunk()
                self._state = _State.SIZE
            case _State.TRAILER:
                self._take_trailer(line)
            case _:
                raise _broken()

    def _begin_chunk(self, line: bytes) -> None:
        match = (_PLAIN_LINE if self._chain is None else _SIGNED_LINE)(line)
        if match is None:
            raise _broken()
        before, self._size = self._size, int(match[1], 16)
        self._signature = "" if self._chain is None else match[2].decode()
        self._chunks += 1
        strict = self._chain is not None or self._payload.trailer
        if strict and self._size and self._chunks > 1 and before < MIN_CHUNK_BYTES:
            raise faults.InvalidChunkSizeError(Chunk=self._chunks, BadChunkSize=before)
        self._left = self._size
        self._decoded += self._size
        self._check_size()
        if self._size:
            self._state = _State.DATA
            return
        self._end_chunk()
        self._state = _State.TRAILER

    def _check_size(self) -> None:
        expected = self._decoded_size
        if expected is None or self._decoded == expected or (self._size and self._decoded < expected):
            return
        raise faults.IncompleteBody()

    def _end_chunk(self) -> None:
        if self._chain is not None:
            self._chain.check_chunk(self._signature)

    def _take_trailer(self, line: bytes) -> None:
        """A line of the trailer. minio-go ends the last before the signature with LF CR LF: one break."""
        if line == _BREAK and self._half_broken:
            self._half_broken = False
            return
        if line == _BREAK:
            self._end_trailer()
            return
        self._half_broken = not line.endswith(_BREAK)
        name, value = _header(line)
        if name == TRAILER_SIGNATURE:
            self._prove_trailer(value)
            return
        if self._proven or name in self.trailers or len(self.trailers) == MAX_TRAILERS:
            raise faults.MalformedTrailerError()
        if self._chain is not None and not self._payload.trailer:
            raise _broken()
        self.trailers[name] = value

    def _prove_trailer(self, signature: str) -> None:
        if self._proven:
            raise faults.MalformedTrailerError()
        if self._chain is not None:
            self._chain.check_trailer(self.trailers, signature)
        self._proven = True

    def _end_trailer(self) -> None:
        if self._chain is not None and self._payload.trailer and not self._proven:
            raise faults.MalformedTrailerError()
        self._state = _State.NOTHING


class _Chain:
    """The signatures of chunks and trailer, each of which covers the one before it."""

    __slots__ = ("_hasher", "_previous", "_signer", "_signing")

    def __init__(self, signing: ChunkSigning) -> None:
        self._signing, self._signer, self._previous = signing, v4.Signer(signing.key), signing.seed
        self._hasher = hashlib.sha256()

    def update(self, data: bytes) -> None:
        self._hasher.update(data)

    def check_chunk(self, signature: str) -> None:
        """The chunk is complete. Raises SignatureDoesNotMatch."""
        self._check("PAYLOAD", f"{payloads.EMPTY_SHA256}\n{self._hasher.hexdigest()}", signature)
        self._hasher = hashlib.sha256()

    def check_trailer(self, trailers: dict[str, str], signature: str) -> None:
        """The trailer is complete. Raises SignatureDoesNotMatch."""
        lines = "".join([f"{name}:{value}\n" for name, value in trailers.items()])
        self._check("TRAILER", hashlib.sha256(lines.encode()).hexdigest(), signature)

    def _check(self, what: str, digests: str, signature: str) -> None:
        date, scope = self._signing.amz_date, self._signing.scope
        to_sign = f"{v4.ALGORITHM}-{what}\n{date}\n{scope}\n{self._previous}\n{digests}"
        expected = self._signer.sign(to_sign)
        if not v4.same(expected, signature):
            raise v4.mismatch(self._signing.access_key, to_sign, signature)
        self._previous = expected


class ChunkedSource:
    """A source without the aws-chunked framing of the one inside.

    `decoded_size` and `wire_size` are the announced numbers of bytes without and with framing, None when
    unknown. Raises as `Decoder` does. Memory is constant in `chunks`; `whole` needs a known, small decoded
    size.
    """

    __slots__ = ("_decoder", "_inner", "_signed", "_small")

    def __init__(
        self, inner: Source, payload: Payload, decoded_size: int | None, *, wire_size: int | None = None
    ) -> None:
        self._inner, self._decoder = inner, Decoder(payload, decoded_size)
        self._signed = payload.signing is not None
        self._small = (
            decoded_size is not None and wire_size is not None
            and wire_size <= decoded_size * _WIRE_FACTOR + _WIRE_BYTES)

    @property
    def trailers(self) -> dict[str, str]:
        """The trailer's values by lower-case name; complete after the last byte."""
        return self._decoder.trailers

    async def whole(self) -> bytes:
        if not self._small:
            return b"".join([piece async for piece in self.chunks()])
        found = self._decoder.feed(await self._inner.whole())
        self._decoder.finish()
        return found[0] if len(found) == 1 else b"".join(found)

    async def chunks(self) -> AsyncIterator[bytes]:
        loop, decoder = asyncio.get_running_loop(), self._decoder
        async for data in self._inner.chunks():
            if self._signed and len(data) >= _THREAD_FROM_BYTES:
                found = await loop.run_in_executor(None, decoder.feed, data)
            else:
                found = decoder.feed(data)
            for piece in found:
                yield piece
        decoder.finish()


def _line(buffer: bytes, at: int, *, last: bool) -> bytes:
    """The line from `at` on, with its break; empty while it has not arrived. None may follow the `last`."""
    stop = buffer.find(b"\n", at, at + MAX_LINE_BYTES) + 1
    if last or (not stop and len(buffer) - at >= MAX_LINE_BYTES):
        raise _broken()
    return buffer[at:stop] if stop else b""


def _header(line: bytes) -> tuple[str, str]:
    try:
        name, colon, value = line.decode("ascii").partition(":")
    except UnicodeDecodeError:
        raise faults.MalformedTrailerError() from None
    if not colon or not name.strip():
        raise faults.MalformedTrailerError()
    return name.strip().lower(), value.strip()


def _broken() -> faults.Fault:
    return faults.IncompleteBodyBodyTerminatedUnexpectedly()
