"""What an objects bucket is, in the simplest words: a dictionary of lists. Read this to know what S3 versions
mean.

The model knows nothing of rows, blobs and pages. What it cannot foresee (ids, ETags) it is told with each
write.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

NULL = "null"


class Refused(Exception):
    """The name of the fault that must be raised."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Version:
    """One version of one key. `data` is None in a delete marker. `ms` is when its bytes were written, `renamed_ms` when it
    got its key by a rename (0: it did not).
    """

    id: str
    data: bytes | None
    etag: str = ""
    content_type: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    ms: int = 0
    renamed_ms: int = 0

    @property
    def began_ms(self) -> int:
        return self.renamed_ms or self.ms

    @property
    def marker(self) -> bool:
        return self.data is None


@dataclass(frozen=True)
class If:
    """A condition of a write: If-Match or If-None-Match, an ETag or `*`."""

    match: str | None = None
    none_match: str | None = None

    def holds(self, etag: str) -> bool:
        if self.none_match is not None and self.none_match in ("*", etag):
            return False
        return self.match in (None, "*", etag)


class Model:
    """A bucket: for each key its versions, newest first. `state` is "", "Enabled" or "Suspended"."""

    def __init__(self) -> None:
        self.chains: dict[str, list[Version]] = {}
        self.state = ""

    def get(self, key: str, id: str | None = None) -> Version:
        chain = self.chains.get(key, [])
        if id is not None:
            found = [version for version in chain if version.id == id]
            if not found:
                raise Refused("NoSuchVersion")
            if found[0].marker:
                raise Refused("VersionIsDeleteMarker")
            return found[0]
        if not chain:
            raise Refused("NoSuchKey")
        if chain[0].marker:
            raise Refused("KeyIsDeleteMarker")
        return chain[0]

    def may_put(self, key: str, only_if: If) -> None:
        chain = self.chains.get(key, [])
        if not chain or chain[0].marker:
            if only_if.match is not None:
                raise Refused("NoSuchKey")
        elif not only_if.holds(chain[0].etag):
            raise Refused("PreconditionFailed")

    def put(self, key: str, version: Version) -> None:
        """Write above what is there: the null version replaces an older null version, wherever it stands."""
        assert (version.id == NULL) == (self.state != "Enabled")
        chain = self.chains.get(key, [])
        self.chains[key] = [version, *(one for one in chain if one.id != NULL or version.id != NULL)]

    def may_delete(self, key: str, id: str | None, only_if: If) -> None:
        chain = self.chains.get(key, [])
        meant = [one for one in chain if one.id == id] if id is not None else chain[:1]
        if not meant:
            if only_if.match is not None and id is None:
                raise Refused("NoSuchKey")
            return
        if only_if.match is not None and (meant[0].marker or not only_if.holds(meant[0].etag)):
            raise Refused("PreconditionFailed")

    def delete(self, key: str, marker: Version | None) -> None:
        """Delete the key: with versions a marker is written, without them it goes."""
        if marker is not None:
            self.put(key, marker)
        else:
            self.chains.pop(key, None)

    def remove(self, key: str, id: str) -> Version | None:
        """Remove one version for good; what it was, None when it was not there."""
        chain = self.chains.get(key, [])
        removed = next((one for one in chain if one.id == id), None)
        self.chains[key] = [one for one in chain if one.id != id]
        if not self.chains[key]:
            del self.chains[key]
        return removed

    def tag(self, key: str, id: str | None, tags: dict[str, str]) -> None:
        found = self.get(key, id)
        self.chains[key] = [replace(one, tags=tags) if one is found else one for one in self.chains[key]]

    def rename(self, source: str, key: str, id: str, ms: int, marker: Version | None) -> None:
        """The newest version of the source under another key at `ms`; the source is deleted in the same moment."""
        moved = self.get(source)
        self.put(key, replace(moved, id=id, renamed_ms=ms))
        self.delete(source, marker)

    def list(self, prefix: str = "") -> Iterator[tuple[str, Version]]:
        """The newest versions, by key; no markers."""
        for key, chain in sorted(self.chains.items()):
            if key.startswith(prefix) and not chain[0].marker:
                yield key, chain[0]

    def versions(self, prefix: str = "") -> Iterator[tuple[str, Version, bool]]:
        """All versions and markers, by key, newest first; whether each is the newest."""
        for key, chain in sorted(self.chains.items()):
            if key.startswith(prefix):
                yield from ((key, one, one is chain[0]) for one in chain)

    def at(self, ms: int) -> dict[str, Version]:
        """What was there at the end of that millisecond, less what was removed for good since."""
        then = {key: [one for one in chain if one.began_ms <= ms] for key, chain in self.chains.items()}
        return {key: chain[0] for key, chain in then.items() if chain and not chain[0].marker}
