"""What the supervisor tells a worker: one line of JSON on its standard input."""

from __future__ import annotations

from pathlib import Path

import msgspec

from trivium.app.accounts import RootKey
from trivium.app.settings import Settings


class Orders(msgspec.Struct, frozen=True):
    """What a worker must know. `sockets` are descriptors of listening sockets, in the order of the listeners.

    `metrics` is the descriptor of the socket for operators, -1 when there is none; `ready` gets a byte when
    all is well.
    """

    index: int
    settings: Settings
    root: RootKey
    run: Path
    sockets: list[int]
    metrics: int
    ready: int


def write_orders(orders: Orders) -> bytes:
    return msgspec.json.encode(orders, enc_hook=_encode) + b"\n"


def read_orders(line: bytes) -> Orders:
    return msgspec.json.decode(line, type=Orders, dec_hook=_decode)


def _encode(value: object) -> str:
    assert isinstance(value, Path), f"orders hold no {type(value)}"
    return str(value)


def _decode(kind: type, value: object) -> object:
    assert kind is Path, f"orders hold no {kind}"
    return Path(str(value))
