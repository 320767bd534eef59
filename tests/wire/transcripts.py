"""Transcripts: exchanges with the server as text, which people review and the runner plays.

A file begins with lines that say where the truth comes from (`source: …`) and what there is (`dialect: …`, `given: a bucket`,
`a versioned bucket` or `a branch`, named `bucket`; `signatures: checked` where they are, each user's secret key being
`secret`). Then come exchanges:

    # a comment
    > PUT /bucket/a%20key?versionId={{version:1}}
    > x-amz-meta-a: 1
    >
    > the body
    < 200
    < etag: "900150983cd24fb0d6963f7d28e17f72"
    < x-amz-version-id: {{version:1}}
    <
    < <Tagging>…</Tagging>

Every header of the answer is written but the two request ids; XML is written without its declaration, indented. A
`{{name:number}}` in an answer stands for what nobody can know; the same one stands for the same text everywhere.
`> as: bob` sends the request as another user, `> as: nobody` as no one.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from tests.wire.stage import Answer, Stage
from trivium.buckets.record import BRANCH, OBJECTS

FOLDER = Path(__file__).parent
_REFERENCE = re.compile(r"\{\{(\w+:\d+)\}\}")
_UNTOLD = frozenset({"x-amz-request-id", "x-amz-id-2"})
_XMLNS = re.compile(rb' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"')
_VERSIONED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
# How answers' secrets are recognised when a transcript is blessed: by the element or header that carries them
_SECRETS = (
    ("version", re.compile(r"(?:x-amz-(?:copy-source-)?version-id: |VersionId(?:Marker)?>)([0-9a-f]{20,})")),
    ("upload", re.compile(r"UploadId(?:Marker)?>([0-9a-f]{20,})")),
    ("token", re.compile(r"ContinuationToken>([\w-]{2,})<")),
)


@dataclass(slots=True)
class Exchange:
    """A request, and the answer that is expected, both as lines."""

    comments: list[str] = field(default_factory=list)
    request: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Transcript:
    """A file: its facts, the comments and exchanges in it."""

    facts: dict[str, str]
    exchanges: list[Exchange]


def read(path: Path) -> Transcript:
    """The transcript in the file."""
    transcript = Transcript({}, [])
    current = Exchange()
    for line in path.read_text().splitlines():
        if line.startswith("< ") or line == "<":
            current.answer.append(line[2:])
            continue
        if current.answer or (current.request and not line.startswith(">")):
            transcript.exchanges.append(current)
            current = Exchange()
        if line.startswith("> ") or line == ">":
            current.request.append(line[2:])
        elif line.startswith("#"):
            current.comments.append(line)
        elif ": " in line:
            name, _, fact = line.partition(": ")
            transcript.facts[name] = fact
        else:
            assert not line.strip(), f"{path.name}: what is {line!r}?"
    if current.request:
        transcript.exchanges.append(current)
    return transcript


def stage_of(transcript: Transcript) -> Stage:
    """The house that the transcript begins with."""
    given = transcript.facts.get("given", "nothing")
    assert given in ("nothing", "a bucket", "a versioned bucket", "a branch"), f"nobody knows what {given!r} is"
    stage = Stage(transcript.facts.get("dialect", "aws"), creates=BRANCH if given == "a branch" else OBJECTS)
    if given != "nothing":
        assert stage.ask("PUT", "/bucket").status == 200
    if given == "a versioned bucket":
        assert stage.ask("PUT", "/bucket", "versioning", body=_VERSIONED).status == 200
    if transcript.facts.get("signatures") == "checked":
        stage.check_signatures()
    return stage


def play(stage: Stage, request: list[str], known: dict[str, str]) -> list[str]:
    """Send the request and give the answer as lines."""
    lines = [_REFERENCE.sub(lambda match: known[match[1]], line) for line in request]
    method, _, target = lines[0].partition(" ")
    end = lines.index("") if "" in lines else len(lines)
    head, body = lines[1:end], "\n".join(lines[end + 1 :])
    headers = {name: value for name, _, value in (f"{line} ".partition(": ") for line in head)}
    headers = {name: value.removesuffix(" ") for name, value in headers.items()}
    user = headers.pop("as", "alice")
    path, _, query = target.partition("?")
    answer = stage.ask(
        method, unquote(path), query, headers, body.encode(), user="" if user == "nobody" else user)
    return list(lines_of(answer))


def lines_of(answer: Answer) -> Iterator[str]:
    """An answer as it is written in a transcript."""
    yield str(answer.status)
    for name, value in answer.headers:
        if name not in _UNTOLD:
            yield f"{name}: {value}"
    if answer.body:
        yield ""
        yield from _body(answer).split("\n")


def _body(answer: Answer) -> str:
    if dict(answer.headers).get("content-type") != "application/xml" or not answer.body.startswith(b"<?xml"):
        return answer.body.decode()
    root = ET.fromstring(_XMLNS.sub(b"", answer.body))
    for name in ("RequestId", "HostId"):
        for found in root.findall(name):
            root.remove(found)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")


def matches(expected: str, found: str, known: dict[str, str]) -> bool:
    """Is this the line? References that are new are learnt."""
    pattern, names, at = "", [], 0
    for match in _REFERENCE.finditer(expected):
        pattern += re.escape(expected[at : match.start()])
        at = match.end()
        if match[1] in known:
            pattern += re.escape(known[match[1]])
        else:
            pattern += r"([^<>\s]+)"
            names.append(match[1])
    met = re.fullmatch(pattern + re.escape(expected[at:]), found)
    if met is None:
        return False
    known.update(zip(names, met.groups(), strict=True))
    return True


def blessed(path: Path) -> str:
    """The file as it would be if all its answers were right: for `python -m tests.wire.bless`, to be reviewed as code is."""
    transcript = read(path)
    stage, known = stage_of(transcript), dict[str, str]()
    told = "\n".join(line for exchange in transcript.exchanges for line in exchange.request)
    blocks = ["\n".join(f"{name}: {fact}" for name, fact in transcript.facts.items())]
    for exchange in transcript.exchanges:
        answer = [_named(line, known, told) for line in play(stage, exchange.request, known)]
        block = [*exchange.comments, *(f"> {line}".rstrip() for line in exchange.request)]
        blocks.append("\n".join([*block, *(f"< {line}".rstrip() for line in answer)]))
    return "\n\n".join(blocks) + "\n"


def _named(line: str, known: dict[str, str], told: str) -> str:
    """The line with references for secrets; what is `told` in the requests is none."""
    for kind, pattern in _SECRETS:
        for match in pattern.finditer(line):
            if match[1] not in known.values() and match[1] not in told:
                known[f"{kind}:{1 + sum(name.startswith(kind) for name in known)}"] = match[1]
    for name, value in known.items():
        line = line.replace(value, "{{" + name + "}}")
    return line
