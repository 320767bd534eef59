"""What can be set: one row a setting, with its default, its unit and a sentence.

From these rows follow the configuration file, the environment variables (`TRIVIUM_` and the name in
capitals), the flags (`--name-with-dashes`), `--help`, the errors and the reference page. Tables
(`[[listeners]]`, `[[accounts]]`, `[[mounts]]`) stand in the file only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec

from trivium.s3.dialect import GIB
from trivium.s3.dialects import DIALECTS

DAY_SECONDS: Final = 86_400


class Row(msgspec.Struct, frozen=True):
    """What a setting means. `unit` is "" for what has none; `one_of` are the only values allowed.

    Numbers lie between `least` and `most`. `secret` settings have no flag: command lines are visible to
    others.
    """

    says: str
    unit: str = ""
    one_of: tuple[str, ...] = ()
    least: int = 0
    most: int = 1 << 62
    secret: bool = False


class ListenerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address to listen at. The first one is shown when the server starts."""

    listen: Annotated[str, Row(
        "Address to listen at: `HOST:PORT`, `[IPV6]:PORT`, or `:PORT` for every address.")]
    base_path: Annotated[str, Row(
        "Path below which the S3 API is served, such as `/api/v1/s3`. No bucket should have the name of its"
        " first part: with a forged `Host` header, a request signed with version 4 for such a bucket at"
        " another listener reads as one for what is below the base path.")] = ""
    dialect: Annotated[str, Row(
        "Whose S3 is spoken, where S3s differ.",
        one_of=tuple(DIALECTS))] = "aws"
    authentication: Annotated[str, Row(
        "`v4` checks signatures. `simple` believes the access key and checks nothing, as Alluxio does.",
        one_of=("v4", "simple"))] = "v4"
    signature_v2: Annotated[bool, Row(
        "With `v4`, accept the older signatures of version 2 too, which sign neither body nor host. What they"
        " sign means the same at every listener that accepts them: a path that begins with the `base_path` of"
        " one was signed for that one, so a bucket of that name needs version 4 elsewhere.")] = True
    default_user: Annotated[str, Row(
        "Who a request without credentials is, with `simple`; empty refuses it.")] = ""
    domains: Annotated[tuple[str, ...], Row(
        "Host names under which `bucket.domain` addresses a bucket.")] = ()
    creates: Annotated[str, Row(
        "What CreateBucket makes: plain buckets, or branches of repositories (`branch.repository`).",
        one_of=("objects", "branches"))] = "objects"
    tls_certificate: Annotated[str, Row("File with the PEM certificate chain; empty serves plain HTTP.")] = ""
    tls_key: Annotated[str, Row(
        "File with the PEM private key of the certificate, without a pass phrase.")] = ""


class KeySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An access key of an account: `keys = [{access_key = "…", secret_key = "…"}]`."""

    access_key: Annotated[str, Row("The public half, 3 to 128 letters, digits, `-`, `_`, `.`.")]
    secret_key: Annotated[str, Row("The secret half, 8 characters or more.", secret=True)]


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who owns buckets, beside `root`, which is always there."""

    name: Annotated[str, Row("Display name, unique.")]
    id: Annotated[str, Row(
        "Canonical id, 64 hexadecimal digits; empty derives it from the name. It must never change: buckets"
        " are its.",
    )] = ""
    email: Annotated[str, Row("E-mail address, shown where S3 shows one.")] = ""
    keys: Annotated[tuple[KeySettings, ...], Row(
        'Access keys, such as `[{ access_key = "…", secret_key = "…" }]`.')] = ()


class MountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A directory of this machine that is a bucket."""

    bucket: Annotated[str, Row("Name of the bucket.")]
    path: Annotated[str, Row("The directory. It must be there when the server starts.")]
    owner: Annotated[str, Row("Name of the account whose bucket it is.")] = "root"
    readonly: Annotated[bool, Row(
        "Refuse every change of the files; who may read them can be changed.")] = False
    folders: Annotated[bool, Row("List every directory as a key of zero bytes, not only empty ones.")] = False


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings."""

    data: Annotated[Path, Row(
        "Folder that keeps everything; `trivium serve` makes it when it is missing.")] = Path("data")
    listen: Annotated[str, Row(
        "Address of the listener for AWS's S3: `HOST:PORT`, `[IPV6]:PORT`, or `:PORT` for every address;"
        " empty opens none. Where `[[listeners]]` are given, it is opened only if it is given too.")] = (
        "127.0.0.1:9000")
    workers: Annotated[int, Row(
        "Worker processes that serve requests.", unit="processes", least=1, most=64)] = 1
    region: Annotated[str, Row(
        "Region of buckets whose creator named none. Requests of any region are accepted.")] = (
        "us-east-1")
    root_access_key: Annotated[str, Row(
        "Access key of the account `root`; empty keeps the generated one. With `root_secret_key`.",
        secret=True)] = ""
    root_secret_key: Annotated[str, Row("Secret key of the account `root`.", secret=True)] = ""
    metrics: Annotated[str, Row(
        "Address at which `/metrics`, `/health/live` and `/health/ready` are served; empty serves no"
        " metrics.")] = ""
    log_level: Annotated[str, Row(
        "Least severe messages that are logged.", one_of=("debug", "info", "warning", "error"))] = "info"
    log_format: Annotated[str, Row(
        "How messages are written to standard error: a line for people, or a JSON object. With `json` the"
        " start is such a message too, of level `info`, without the secret key unless `--show-secret` asks"
        " for it.",
        one_of=("text", "json"))] = "text"
    access_log: Annotated[str, Row(
        "File that gets a JSON object for every request; `-` is standard output and nothing else is printed"
        " there, empty keeps none.")] = ""
    inline_bytes: Annotated[int, Row(
        "Objects up to this size rest in their row, larger ones in a file of their own.",
        unit="bytes", most=1 << 20)] = 64 << 10
    reserve_bytes: Annotated[int, Row(
        "Room on the disk that uploads leave free, so that deleting still works when they are refused; 0"
        " leaves none.",
        unit="bytes")] = 64 << 20
    max_put_bytes: Annotated[int, Row(
        "Largest object or part that one request may upload.", unit="bytes", least=1)] = (
        5 * GIB)
    client_wait_seconds: Annotated[int, Row(
        "How long a client may send or take nothing before it is given up: waiting for headers, inside a"
        " body, or while it is being answered.", unit="seconds", least=1, most=3600)] = 60
    drain_seconds: Annotated[int, Row(
        "How long requests under way may take to finish when the server stops.", unit="seconds",
        most=3600)] = 30
    sweep_seconds: Annotated[int, Row(
        "Pause between two sweeps for bytes that nobody names any more.", unit="seconds", least=1)] = 600
    sweep_grace_seconds: Annotated[int, Row(
        "How old bytes that nobody names must be before they are removed; longer than any download takes.",
        unit="seconds", least=60)] = DAY_SECONDS
    upload_expiry_seconds: Annotated[int, Row(
        "Age at which an upload in parts that was neither completed nor aborted is given up; 0 keeps it for"
        " ever.",
        unit="seconds")] = 7 * DAY_SECONDS
    journal_seconds: Annotated[int, Row(
        "How long it is remembered which keys changed, for services that read it later; 0 remembers it for"
        " ever, and so do branches.", unit="seconds")] = DAY_SECONDS
    listeners: Annotated[tuple[ListenerSettings, ...], Row(
        "More listeners, each with a path, dialect and authentication of its own.")] = ()
    accounts: Annotated[tuple[AccountSettings, ...], Row("Accounts beside `root`.")] = ()
    mounts: Annotated[tuple[MountSettings, ...], Row("Directories that are buckets.")] = ()
