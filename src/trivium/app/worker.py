"""One worker process: a house, a server for each listener, the chores, until it is told to stop.

The supervisor starts it as `python -m trivium.app.worker` and writes an `Orders` as one JSON line to its
standard input, which it keeps open: its end says that the supervisor is gone, and the worker stops too.
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import logging
import os
import signal
import sys
from functools import partial
from typing import Final, NoReturn

import uvloop

from trivium.app import logs
from trivium.app.accounts import users_of
from trivium.app.build import build, most_held
from trivium.app.chores import chores_of_all, chores_of_one, flush, repeat
from trivium.app.listeners import openings
from trivium.app.orders import Orders, read_orders
from trivium.base.clock import SystemClock
from trivium.base.ids import RandomIds
from trivium.door.access import AccessLog
from trivium.door.application import Application, Watch
from trivium.door.health import Health
from trivium.door.metrics import Ledger
from trivium.door.pages import Pages
from trivium.door.pipe import Pipes
from trivium.door.server import HttpServer
from trivium.door.sockets import adopt
from trivium.door.source import Patience
from trivium.s3.serve import serve
from trivium.services.house import House

_log = logging.getLogger("trivium.worker")
# objects; requests leave no cycles, and looking for them every 700 objects costs 3 %
_GARBAGE_THRESHOLD: Final = 20_000
_GIVE_UP_SECONDS: Final = 1  # for answers to clients that were waited for until the end of the drain


def main() -> None:
    # Ctrl-C reaches the whole group; the supervisor tells us what to do
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders = read_orders(sys.stdin.buffer.readline())
    with (orders.run / "workers").open("ab") as alive:
        # as long as any worker lives, no other server takes the data folder
        fcntl.flock(alive, fcntl.LOCK_SH)
        uvloop.run(work(orders))


async def work(orders: Orders) -> NoReturn:
    """Serve until SIGTERM or the supervisor is gone; then finish what is under way, and end the process."""
    settings, clock, ids = orders.settings, SystemClock(), RandomIds()
    users = users_of(settings, orders.root)
    house = build(settings, users, clock, ids)
    gc.freeze()  # what was built stays: collections need not look at it again
    gc.set_threshold(_GARBAGE_THRESHOLD)
    access = AccessLog(settings.access_log) if settings.access_log else None
    ledger, patience = Ledger(orders.run, orders.index), Patience(settings.client_wait_seconds)
    health = Health(house.ground.engine)
    watch = Watch(
        clock=clock, prefix=ids.hexadecimal(8), patience=patience,
        pipes=Pipes(most_held(), wait_seconds=settings.client_wait_seconds), tally=ledger.tally,
        health=health, access=access)
    servers = _servers(orders, house, watch, ledger)
    logs.set_up(settings.log_level, settings.log_format, worker=orders.index)  # Granian has set up its own
    chores = [*chores_of_all(patience, ledger, access)]
    if orders.index == 0:
        chores += chores_of_one(house, settings)
    tasks = [asyncio.ensure_future(repeat(*due)) for due in chores]
    stop = _stop_event()
    for server in servers:
        server.start()
    os.write(orders.ready, b"r")
    await stop.wait()
    health.stopping = True
    await _drain(servers, patience, settings.drain_seconds)
    for task in tasks:
        task.cancel()
    ledger.publish()
    if access is not None:
        await flush(access)
    await house.ground.engine.close()
    logging.shutdown()
    # Requests that were given up may still have threads, which would be waited for, and tasks, which would be
    # cancelled: the HTTP server's own do not expect that, and log tracebacks
    os._exit(0)


def _servers(orders: Orders, house: House, watch: Watch, ledger: Ledger) -> list[HttpServer]:
    wait_seconds = orders.settings.client_wait_seconds
    answer = partial(serve, house)
    servers = [
        HttpServer(
            Application(answer, opening.listener, watch, secure=opening.tls is not None),
            adopt(descriptor), wait_seconds=wait_seconds, tls=opening.tls)
        for opening, descriptor in zip(openings(orders.settings), orders.sockets, strict=True)
    ]
    if orders.metrics >= 0:
        pages = Pages(ledger.page, watch.health)
        servers.append(HttpServer(pages, adopt(orders.metrics), wait_seconds=wait_seconds))
    return servers


def _stop_event() -> asyncio.Event:
    """Set by SIGTERM, and by the end of standard input."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def heard() -> None:
        if not os.read(sys.stdin.fileno(), 1):
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    loop.add_reader(sys.stdin.fileno(), heard)
    return stop


async def _drain(servers: list[HttpServer], patience: Patience, seconds: float) -> None:
    """Let the requests under way finish. Those that wait for their clients at the end are answered with a
    fault and clean up behind them; what still does not end then is left as it is.
    """
    stopping = [asyncio.ensure_future(server.stop()) for server in servers]
    _, late = await asyncio.wait(stopping, timeout=seconds)
    if late:
        _log.warning("requests were still under way after %g seconds and are given up", seconds)
        patience.give_up()
        await asyncio.wait(late, timeout=_GIVE_UP_SECONDS)


if __name__ == "__main__":
    main()
