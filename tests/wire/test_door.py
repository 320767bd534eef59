"""What only a socket can show: lengths, spans, pace, early answers, clients that leave, and a graceful end."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import socket

import pytest

from trivium.base import faults
from trivium.base.body import Descriptor, FileSpan, HeldSpan, Pieces, Unsent
from trivium.base.faults import Fault
from trivium.s3.messages import Response

MIB = 1 << 20


def answering(*bodies, status=200):
    """A server that gives these bodies, one after the other."""
    rest = list(bodies)

    async def serve(_request):
        return Response(status, [("etag", '"x"')], rest.pop(0) if len(rest) > 1 else rest[0])

    return serve


async def reading(request):
    """A server that reads the body and tells its size, or the fault that came of it."""
    try:
        size = sum([len(chunk) async for chunk in request.body.chunks()])
    except Fault as fault:
        return Response(fault.kind.status, [], fault.kind.name.encode())
    return Response(200, [], str(size).encode())


@pytest.fixture
def blob(tmp_path):
    """Eight mebibytes in a file, all of them different."""
    path = tmp_path / "blob"
    path.write_bytes(os.urandom(8 * MIB))
    return path


def span(path, first, last):
    return FileSpan(str(path), first, last)


def test_a_head_tells_the_length_of_five_gibibytes_and_the_connection_goes_on(through_the_door) -> None:
    async def story(door):
        client = await door.client()
        head = await client.ask("HEAD /b/k HTTP/1.1\nhost: h", body=False)
        return head, await client.ask("GET /b/k HTTP/1.1\nhost: h")

    (status, headers, _), (_, _, body) = through_the_door(answering(Unsent(5 << 30), b"next"), story)

    assert (status, headers["content-length"], body) == (200, "5368709120", b"next")


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 8 * MIB - 1), (MIB - 1, MIB), (8 * MIB - 1, 8 * MIB - 1)])
def test_a_span_of_a_file_is_sent_to_the_byte(through_the_door, blob, first, last) -> None:
    async def story(door):
        return await (await door.client()).ask("GET /b/k HTTP/1.1\nhost: h")

    _, _, body = through_the_door(answering(span(blob, first, last)), story)

    assert body == blob.read_bytes()[first : last + 1]


@pytest.fixture(params=[True, False], ids=["spliced", "copied"])
def splices(request) -> bool:
    """Are bytes moved by the kernel? Not every system and file system can."""
    return request.param


@pytest.mark.parametrize("size", [10, MIB, MIB + 1, 5 * MIB])
def test_pieces_are_sent_one_behind_the_other(through_the_door, blob, size, splices) -> None:
    async def story(door):
        client = await door.client()
        found = await client.ask("GET /b/k HTTP/1.1\nhost: h")
        return found, await client.ask("GET /b/k HTTP/1.1\nhost: h")

    pieces = Pieces((span(blob, 5, 4 + size), span(blob, 7, 13), span(blob, 0, 0)))
    (_, headers, body), (_, _, following) = through_the_door(answering(pieces, b"next"), story, splices=splices)
    content = blob.read_bytes()

    assert headers["content-length"] == str(size + 8)
    assert body == content[5 : 5 + size] + content[7:14] + content[:1]
    assert following == b"next"


def held(path, first, last):
    return HeldSpan(Descriptor(os.open(path, os.O_RDONLY)), first, last)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (5, MIB + 4), (5, MIB + 5), (0, 8 * MIB - 1), (1, 8 * MIB - 2)])
def test_a_file_that_is_held_open_is_sent_to_the_byte_whatever_has_its_name(
    through_the_door, blob, first, last, splices,
) -> None:
    content = blob.read_bytes()
    body = held(blob, first, last)
    blob.unlink()
    blob.symlink_to("/etc/passwd")

    async def story(door):
        client = await door.client()
        return await client.ask("GET /b/k HTTP/1.1\nhost: h"), await client.ask("GET /b/k HTTP/1.1\nhost: h")

    (_, headers, sent), (_, _, following) = through_the_door(answering(body, b"next"), story, splices=splices)

    assert (headers["content-length"], sent) == (str(last - first + 1), content[first : last + 1])
    assert following == b"next"


@pytest.mark.parametrize("left", [1, MIB // 2, 3 * MIB])
def test_a_held_file_that_is_cut_off_breaks_the_connection_off(through_the_door, blob, left, splices) -> None:
    async def story(door):
        client = await door.client()
        _, headers, _ = await client.ask("GET /b/k HTTP/1.1\nhost: h", body=False)
        return int(headers["content-length"]), len(await client.reader.read())

    body = held(blob, 0, 8 * MIB - 1)
    os.truncate(blob, left)
    announced, received = through_the_door(answering(body), story, splices=splices)

    assert received <= left < announced == 8 * MIB


def test_a_client_that_leaves_leaves_no_descriptor_behind(through_the_door, blob, splices) -> None:
    os.truncate(blob, 512 * MIB)

    async def story(door):
        before = 0
        for _ in range(5):
            client = await door.client(limit=1 << 16)
            gc.collect()  # others' leavings
            before = before or len(os.listdir("/dev/fd"))
            await client.ask("GET /b/k HTTP/1.1\nhost: h", body=False)
            await client.reader.readexactly(MIB)
            await client.close()
        async with asyncio.timeout(20):
            while len(os.listdir("/dev/fd")) > before:
                await asyncio.sleep(0.01)

    async def serve(_request):
        return Response(200, [], held(blob, 0, 512 * MIB - 1))

    through_the_door(serve, story, splices=splices)


def test_a_client_that_reads_slowly_does_not_gather_the_object_in_memory(through_the_door, blob, splices) -> None:
    """Half a gibibyte is offered; the client takes a little, then leaves."""
    os.truncate(blob, 512 * MIB)

    async def story(door):
        client = await door.client(limit=1 << 16)
        await client.ask("GET /b/k HTTP/1.1\nhost: h", body=False)
        await client.reader.readexactly(MIB)
        await client.close()
        async with asyncio.timeout(20):
            while any("future_watcher" in str(task.get_coro()) for task in asyncio.all_tasks()):
                await asyncio.sleep(0.01)

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    through_the_door(answering(Pieces((span(blob, 0, 0), span(blob, 0, 512 * MIB - 1)))), story, splices=splices)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown

    assert grown < 64 << 10


@pytest.mark.parametrize("how", ["away", "short"])
def test_a_body_that_breaks_off_inside_breaks_the_connection_off(through_the_door, blob, how) -> None:
    second = blob.with_name("second")
    if how == "short":
        second.write_bytes(bytes(MIB))

    async def story(door):
        client = await door.client()
        _, headers, _ = await client.ask("GET /b/k HTTP/1.1\nhost: h", body=False)
        return int(headers["content-length"]), len(await client.reader.read())

    body = Pieces((span(blob, 0, 2 * MIB - 1), span(second, 0, 2 * MIB - 1)))
    announced, received = through_the_door(answering(body), story)

    assert 0 < received < announced == 4 * MIB


def test_an_upload_arrives(through_the_door) -> None:
    async def story(door):
        client = await door.client()
        plain = await client.ask("PUT /b/k HTTP/1.1\nhost: h\ncontent-length: 3000000", bytes(3_000_000))
        chunked = await client.ask(
            "PUT /b/k HTTP/1.1\nhost: h\ntransfer-encoding: chunked", b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        return plain[2], chunked[2]

    assert through_the_door(reading, story) == (b"3000000", b"11")


@pytest.mark.parametrize("how", ["content-length: 100", "transfer-encoding: chunked"])
def test_a_client_that_leaves_inside_its_body_is_noticed(through_the_door, how) -> None:
    async def story(door):
        client = await door.client()
        await client.send(f"PUT /b/k HTTP/1.1\r\nhost: h\r\n{how}\r\n\r\n5\r\nhello\r\n".encode())
        client.writer.write_eof()
        return await client.answer()

    status, _, body = through_the_door(reading, story)

    assert (status, body) == (400, b"IncompleteBody")


def test_a_client_that_stalls_inside_its_body_is_given_up(through_the_door) -> None:
    async def story(door):
        client = await door.client()
        await client.send(b"PUT /b/k HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nhello")
        answer = asyncio.ensure_future(client.answer())
        while not answer.done():
            await asyncio.sleep(0.01)
            door.patience.tick()
        return await answer, await client.reader.read()

    (status, _, body), rest = through_the_door(reading, story)

    assert (status, body, rest) == (400, b"RequestTimeout", b"")


def test_a_client_that_sends_no_headers_is_let_go(through_the_door) -> None:
    async def story(door):
        client = await door.client()
        await client.send(b"GET /b/k HT")
        return await client.reader.read()

    assert through_the_door(reading, story, wait_seconds=1) == b""


def test_an_upload_is_refused_before_its_body_travels(through_the_door) -> None:
    async def story(door):
        client = await door.client()
        return await client.ask("PUT /b/k HTTP/1.1\nhost: h\ncontent-length: 5368709120\nexpect: 100-continue")

    status, _, body = through_the_door(answering(b"no", status=403), story)

    assert (status, body) == (403, b"no")


def test_an_upload_that_is_wanted_is_asked_for(through_the_door) -> None:
    async def story(door):
        client = await door.client()
        await client.send(b"PUT /b/k HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n")
        asked, _, _ = await client.answer()
        await client.send(b"hello")
        return asked, (await client.answer())[2]

    assert through_the_door(reading, story) == (100, b"5")


def test_a_small_upload_that_is_refused_keeps_its_connection(through_the_door) -> None:
    async def story(door):
        client = await door.client()
        await client.ask("PUT /b/k HTTP/1.1\nhost: h\ncontent-length: 5", b"hello")
        return await client.ask("PUT /b/k HTTP/1.1\nhost: h\ncontent-length: 5", b"again")

    assert through_the_door(answering(b"no", status=403), story)[0] == 403


def test_a_path_arrives_decoded_once_and_a_query_as_it_is(through_the_door) -> None:
    seen = []

    async def serve(request):
        seen.append((request.path, request.query_string))
        return Response(200, [])

    async def story(door):
        client = await door.client()
        for target in ("/b/a%20b%252F//../%2e?x=%2F&y", "/b/%ff", "/b/%F0%9F%8C%8D", "/b/a+b"):
            await client.ask(f"GET {target} HTTP/1.1\nhost: h")

    through_the_door(serve, story)

    assert seen == [("/b/a b%2F//../.", "x=%2F&y"), ("/b/\ufffd", ""), ("/b/🌍", ""), ("/b/a+b", "")]


def test_a_header_that_is_not_ascii_is_refused(through_the_door) -> None:
    async def story(door):
        client = await door.client()
        await client.send(b"GET /b/k HTTP/1.1\r\nhost: h\r\nx-amz-meta-a: \xc3\xa9\r\n\r\n")
        return await client.answer()

    status, _, body = through_the_door(answering(b"never"), story)

    assert status == 400
    assert b"x-amz-meta-a" in body


def test_requests_under_way_are_finished_and_nobody_else_gets_in(through_the_door) -> None:
    begun = asyncio.Event()
    go_on = asyncio.Event()

    async def serve(_request):
        begun.set()
        await go_on.wait()
        return Response(200, [], b"done")

    async def story(door):
        client, idle = await door.client(), await door.client()
        answer = asyncio.ensure_future(client.ask("GET /b/k HTTP/1.1\nhost: h"))
        await begun.wait()
        stopping = asyncio.ensure_future(door.server.stop())
        left = await idle.reader.read()
        with pytest.raises(ConnectionError):
            await door.client()
        go_on.set()
        _, _, body = await answer
        await stopping
        return left, body

    assert through_the_door(serve, story) == (b"", b"done")


def test_a_server_that_fails_answers_all_the_same(through_the_door) -> None:
    async def serve(_request):
        raise faults.MountMissing()

    async def story(door):
        return await (await door.client()).ask("GET /b/k HTTP/1.1\nhost: h")

    assert through_the_door(serve, story)[0] == 500


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel has no such time-out")
def test_a_client_that_takes_nothing_of_a_file_loses_its_connection(through_the_door, blob) -> None:
    """The server sends files without us; what ends the connection is a time-out of the socket."""

    async def story(door):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", door.port))
        one.sendall(b"GET /b/k HTTP/1.1\r\nhost: h\r\n\r\n")
        await asyncio.sleep(4)
        received = 0
        try:
            while chunk := one.recv(MIB):
                received += len(chunk)
        except ConnectionError:
            pass
        one.close()
        return received

    assert through_the_door(answering(span(blob, 0, 8 * MIB - 1)), story, wait_seconds=1) < 8 * MIB
