"""What every engine promises, asked of each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trivium.storage.engine import Engine, Read, Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.engines.sqlite import SqliteEngine

Open = Callable[[], Engine]
ENGINES: dict[str, Callable[[Path], Engine]] = {
    "memory": lambda folder: MemoryEngine(),
    "sqlite": lambda folder: SqliteEngine(folder / "rows.db"),
}


@pytest.fixture(params=ENGINES)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the engine of this run; call it inside the loop."""
    return lambda: ENGINES[request.param](tmp_path)


def run(opened: Open, story: Callable[[Engine], Awaitable[None]]) -> None:
    async def whole() -> None:
        engine = opened()
        try:
            await story(engine)
        finally:
            await engine.close()

    asyncio.run(whole())


async def put(engine: Engine, *keys: bytes, value: bytes = b"v") -> None:
    def change(tx: Write) -> None:
        for key in keys:
            tx.put(key, value)

    await engine.write(change)


async def keys_of(engine: Engine, start: bytes, stop: bytes, *, reverse: bool = False) -> list[bytes]:
    return await engine.read(lambda rows: [key for key, _ in rows.scan(start, stop, reverse=reverse)])


def test_a_written_row_is_read_back_with_its_body(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        await engine.write(lambda tx: tx.put(b"ca", b"value", b"body"))

        assert await engine.read(lambda rows: rows.get(b"ca")) == b"value"
        assert await engine.read(lambda rows: rows.load(b"ca")) == (b"value", b"body")

    run(opened, story)


def test_a_row_without_a_body_loads_none_and_an_empty_body_stays_empty(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        await engine.write(lambda tx: tx.put(b"ca", b"v"))
        await engine.write(lambda tx: tx.put(b"cb", b"v", b""))

        assert await engine.read(lambda rows: rows.load(b"ca")) == (b"v", None)
        assert await engine.read(lambda rows: rows.load(b"cb")) == (b"v", b"")

    run(opened, story)


def test_a_row_that_is_not_there_is_none(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        assert await engine.read(lambda rows: rows.get(b"ca")) is None
        assert await engine.read(lambda rows: rows.load(b"ca")) is None
        assert await keys_of(engine, b"c", b"d") == []

    run(opened, story)


def test_a_put_replaces_value_and_body(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        await engine.write(lambda tx: tx.put(b"ca", b"old", b"body"))
        await engine.write(lambda tx: tx.put(b"ca", b"new"))

        assert await engine.read(lambda rows: rows.load(b"ca")) == (b"new", None)

    run(opened, story)


def test_a_deleted_row_is_gone_and_deleting_nothing_is_nothing(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        await put(engine, b"ca")
        await engine.write(lambda tx: tx.delete(b"ca"))
        await engine.write(lambda tx: tx.delete(b"ca"))

        assert await engine.read(lambda rows: rows.get(b"ca")) is None

    run(opened, story)


def test_a_scan_is_in_byte_order_from_start_up_to_but_not_stop(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        await put(engine, b"cb", b"c\xff", b"ca", b"ca\x00", b"c", b"da", b"b\xff")

        assert await keys_of(engine, b"ca", b"c\xff") == [b"ca", b"ca\x00", b"cb"]
        assert await keys_of(engine, b"c", b"d") == [b"c", b"ca", b"ca\x00", b"cb", b"c\xff"]
        assert await keys_of(engine, b"ca", b"c\xff", reverse=True) == [b"cb", b"ca\x00", b"ca"]
        assert await keys_of(engine, b"cb", b"ca") == []

    run(opened, story)


def test_values_are_those_of_a_scan(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        await put(engine, b"cb", b"ca", b"c", b"da", b"b\xff")
        await engine.write(lambda tx: tx.put(b"ca\x00", b"another"))

        assert await engine.read(both) == await engine.write(both)

    def both(rows: Read) -> list[bytes]:
        found = list(rows.values(b"ca", b"d"))
        assert found == [value for _, value in rows.scan(b"ca", b"d")]
        assert len(found) == 3
        return found

    run(opened, story)


def test_a_scan_sees_what_its_own_transaction_did(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        await put(engine, b"ca", b"cc", b"ce")

        def change(tx: Write) -> list[bytes]:
            tx.put(b"cb", b"new")
            tx.delete(b"cc")
            tx.move(b"ce", b"cd", b"moved")
            return [key for key, _ in tx.scan(b"c", b"d")]

        assert await engine.write(change) == [b"ca", b"cb", b"cd"]
        assert await keys_of(engine, b"c", b"d", reverse=True) == [b"cd", b"cb", b"ca"]

    run(opened, story)


def test_rows_may_be_deleted_while_they_are_scanned(opened: Open) -> None:
    rows = [b"c%03d" % number for number in range(300)]

    async def story(engine: Engine) -> None:
        await put(engine, *rows)

        def change(tx: Write) -> list[bytes]:
            seen = []
            for key, _ in tx.scan(b"c", b"d"):
                seen.append(key)
                tx.delete(key)
            return seen

        assert await engine.write(change) == rows
        assert await keys_of(engine, b"c", b"d") == []

    run(opened, story)


def test_a_transaction_reads_its_own_rows(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        await engine.write(lambda tx: tx.put(b"cb", b"before", b"kept"))

        def change(tx: Write) -> tuple[object, ...]:
            tx.put(b"ca", b"value", b"body")
            tx.move(b"cb", b"ob", b"after")
            return tx.get(b"ca"), tx.load(b"ca"), tx.get(b"cb"), tx.load(b"ob")

        assert await engine.write(change) == (b"value", (b"value", b"body"), None, (b"after", b"kept"))

    run(opened, story)


@pytest.mark.parametrize("to", [b"cz", b"oz", b"ca"])
def test_a_moved_row_takes_its_body_along_and_replaces_what_was_there(opened: Open, to: bytes) -> None:
    async def story(engine: Engine) -> None:
        await engine.write(lambda tx: tx.put(b"ca", b"old", b"body"))
        await engine.write(lambda tx: tx.put(to, b"old", b"body"))
        await engine.write(lambda tx: tx.move(b"ca", to, b"new"))

        assert await engine.read(lambda rows: rows.load(to)) == (b"new", b"body")
        assert await keys_of(engine, b"c", b"d") + await keys_of(engine, b"o", b"p") == [to]

    run(opened, story)


def test_moving_a_row_that_is_not_there_is_a_mistake_of_ours(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        with pytest.raises(AssertionError):
            await engine.write(lambda tx: tx.move(b"ca", b"cb", b"v"))

    run(opened, story)


class Refused(Exception):
    pass


def test_an_exception_undoes_all_of_its_change(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        await engine.write(lambda tx: tx.put(b"ca", b"1", b"body"))
        await put(engine, b"cb")

        def change(tx: Write) -> None:
            tx.put(b"ca", b"2")
            tx.put(b"ca", b"3")
            tx.delete(b"cb")
            tx.put(b"cc", b"new")
            tx.move(b"ca", b"oa", b"4")
            raise Refused

        with pytest.raises(Refused):
            await engine.write(change)
        assert await engine.read(lambda rows: rows.load(b"ca")) == (b"1", b"body")
        assert await keys_of(engine, b"c", b"d") == [b"ca", b"cb"]
        assert await keys_of(engine, b"o", b"p") == []

    run(opened, story)


def test_an_exception_undoes_its_change_alone_among_many(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        def change(number: int) -> Callable[[Write], int]:
            def work(tx: Write) -> int:
                tx.put(b"c%03d" % number, b"v")
                if number % 3 == 0:
                    raise Refused
                return number

            return work

        results = await asyncio.gather(
            *(engine.write(change(number)) for number in range(100)), return_exceptions=True
        )

        refused = [number for number, result in enumerate(results) if isinstance(result, Refused)]
        assert refused == list(range(0, 100, 3))
        assert await keys_of(engine, b"c", b"d") == [b"c%03d" % number for number in range(100) if number % 3]

    run(opened, story)


def test_no_update_is_lost_among_concurrent_writes(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        def increment(tx: Write) -> None:
            tx.put(b"mcount", b"%d" % (int(tx.get(b"mcount") or b"0") + 1))

        await asyncio.gather(*(engine.write(increment) for _ in range(500)))

        assert await engine.read(lambda rows: rows.get(b"mcount")) == b"500"

    run(opened, story)


def test_sequence_numbers_only_grow_also_across_undone_changes(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        def two(tx: Write) -> list[int]:
            return [tx.sequence(), tx.sequence()]

        def refused(tx: Write) -> None:
            tx.sequence()
            raise Refused

        numbers = await engine.write(two)
        with pytest.raises(Refused):
            await engine.write(refused)
        numbers += await engine.write(two)

        assert numbers[0] >= 1
        assert sorted(set(numbers)) == numbers

    run(opened, story)


def test_only_a_write_that_announces_itself_and_succeeds_changes_the_generation(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        def refused(tx: Write) -> None:
            tx.announce()
            raise Refused

        before = engine.generation
        await put(engine, b"ca")
        with pytest.raises(Refused):
            await engine.write(refused)
        quiet = engine.generation
        await engine.write(lambda tx: tx.announce())

        assert quiet == before
        assert engine.generation != before

    run(opened, story)


def test_a_read_is_one_consistent_view(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        def both(number: int) -> Callable[[Write], None]:
            def work(tx: Write) -> None:
                tx.put(b"ca", b"%d" % number)
                tx.put(b"oa", b"%d" % number)

            return work

        def look(rows: Read) -> bool:
            return rows.get(b"ca") == rows.get(b"oa") == (dict(rows.scan(b"c", b"d")).get(b"ca"))

        async def readers() -> list[bool]:
            seen = []
            for _ in range(200):
                seen.append(await engine.read(look))
                await asyncio.sleep(0)
            return seen

        _, seen = await asyncio.gather(
            asyncio.gather(*(engine.write(both(number)) for number in range(200))), readers()
        )

        assert all(seen)

    run(opened, story)


def test_a_caller_that_goes_away_does_not_disturb_the_others(opened: Open) -> None:
    async def story(engine: Engine) -> None:
        tasks = [asyncio.create_task(put(engine, b"c%02d" % number)) for number in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await put(engine, b"cz")

        present = await keys_of(engine, b"c", b"d")
        assert {b"c%02d" % number for number in range(1, 50, 2)} <= set(present)
        assert b"cz" in present

    run(opened, story)
