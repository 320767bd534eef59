"""What a ready server says: where it is reached, and with which key; to people, or as a log event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from trivium import __version__


class Endpoint(msgspec.Struct, frozen=True):
    """Where a listener is reached, and how it speaks."""

    url: str
    dialect: str
    authentication: str


class Greeting(msgspec.Struct, frozen=True):
    """The facts. `metrics` is "" where none are served, `secret_key` "" where it is not to be shown;
    `secret_in` is the file that keeps it, None where the configuration gave it.
    """

    endpoints: list[Endpoint]
    metrics: str
    data: Path
    region: str
    access_key: str
    secret_key: str
    secret_in: Path | None


def lines_of(greeting: Greeting) -> list[str]:
    """For people, with commands to paste."""
    kept = f"(in {greeting.secret_in})" if greeting.secret_in else "(as it was given)"
    lines = [f"Trivium {__version__}"]
    lines += [f"  endpoint    {one.url}  ({one.dialect}, {one.authentication})" for one in greeting.endpoints]
    if greeting.metrics:
        lines.append(f"  metrics     {greeting.metrics}")
    lines += [
        f"  data        {greeting.data}", f"  access key  {greeting.access_key}",
        f"  secret key  {greeting.secret_key or kept}"]
    return [*lines, "", "Try it, in another terminal:", *_example(greeting), ""]


def event_of(greeting: Greeting) -> dict[str, Any]:  # Any: what JSON holds
    """For programs: the fields of a log event."""
    event: dict[str, Any] = {
        "version": __version__, "endpoints": [msgspec.structs.asdict(one) for one in greeting.endpoints],
        "data": str(greeting.data), "access_key": greeting.access_key,
        "secret_key_in": str(greeting.secret_in) if greeting.secret_in else "configuration",
    }
    if greeting.metrics:
        event["metrics"] = greeting.metrics
    if greeting.secret_key:
        event["secret_key"] = greeting.secret_key
    return event


def _example(greeting: Greeting) -> list[str]:
    endpoint, key = greeting.endpoints[0].url, greeting.access_key
    secret = greeting.secret_key or "…"
    return [
        f"  export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_REGION={greeting.region}",
        f"  aws --endpoint-url {endpoint} s3 mb s3://first",
        f"  aws --endpoint-url {endpoint} s3 cp /etc/hosts s3://first/hosts",
    ]
