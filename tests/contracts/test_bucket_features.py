"""What buckets promise beyond the five verbs, asked of each kind that declares it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.contracts.bucket_kinds import KINDS, Run, content, having, listed, put, refused, upload
from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.span import Span
from trivium.buckets.acl import READ, Acl, Grant
from trivium.buckets.bucket import Bucket, Deletion, Renaming
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes, Entry


def test_a_kind_has_the_features_that_it_declares(kind: str, run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        features = bucket.features
        found = {name for name in features.__struct_fields__ if getattr(features, name)}

        assert found == KINDS[kind].features

    run(story)


def test_the_version_that_a_put_names_can_be_asked_for(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        entry = await put(bucket, "key", b"data")

        assert await content(bucket, "key", entry.version) == b"data"
        assert (await bucket.head("key", entry.version)).etag == entry.etag

    run(story)


def test_a_version_id_that_cannot_be_one_is_refused(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "key")

        assert await refused(bucket.head("key", "no version id")) is faults.InvalidVersionId
        assert await refused(bucket.read("absent", "no version id")) is faults.InvalidVersionId
        fault, = await bucket.delete([Deletion("key", "no version id")], actor="me")
        assert isinstance(fault, Fault)
        assert await listed(bucket) == ["key"]

    run(story)


@pytest.mark.parametrize("kind", having("annotations"))
@pytest.mark.parametrize("size", [5, 500])
def test_tags_change_without_the_bytes(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.annotations is not None
        before = await put(bucket, "key", b"x" * size, Attributes("text/plain"))
        clock.advance(ms=60_000)
        await bucket.features.annotations.tag("key", None, {"colour": "red"})
        tagged = await bucket.head("key")
        await bucket.features.annotations.tag("key", tagged.version, {})
        bare = await bucket.head("key")

        assert (tagged.attributes.tags, bare.attributes.tags) == ({"colour": "red"}, {})
        assert (tagged.attributes.content_type, tagged.etag) == ("text/plain", before.etag)
        assert tagged.modified_ms == before.modified_ms
        assert await content(bucket, "key") == b"x" * size
        assert await refused(bucket.features.annotations.tag("absent", None, {})) is faults.NoSuchKey

    run(story)


@pytest.mark.parametrize("kind", having("acls"))
@pytest.mark.parametrize("size", [5, 500])
def test_an_access_control_list_changes_without_the_bytes(run: Run, size: int) -> None:
    acl = (Grant("friend", READ),)

    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.acls is not None
        before = await put(bucket, "key", b"x" * size, Attributes("text/plain", owner="me", tags={"a": "b"}))
        clock.advance(ms=60_000)
        seen: list[Entry] = []

        def look(entry: Entry) -> Acl:
            seen.append(entry)
            return acl

        await bucket.features.acls.grant("key", None, look, actor="me")
        shared = await bucket.head("key")
        await bucket.features.acls.grant("key", shared.version, lambda entry: None, actor="me")
        private = await bucket.head("key")

        assert [before.seq] == [entry.seq for entry in seen]
        assert (shared.attributes.acl, private.attributes.acl) == (acl, None)
        assert shared.attributes.tags == {"a": "b"}
        assert (shared.etag, shared.modified_ms) == (before.etag, before.modified_ms)
        assert await content(bucket, "key") == b"x" * size
        assert await refused(bucket.features.acls.grant("absent", None, lambda _: acl, actor="me")) is faults.NoSuchKey

    run(story)


@pytest.mark.parametrize("kind", having("acls"))
def test_a_rule_that_refuses_leaves_the_list_as_it_was(run: Run) -> None:
    def refuse(entry: Entry) -> None:
        raise faults.AccessDenied()

    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.acls is not None
        before = await put(bucket, "key", b"data", Attributes(acl=(Grant("friend", READ),)))

        assert await refused(bucket.features.acls.grant("key", None, refuse, actor="me")) is faults.AccessDenied
        assert (await bucket.head("key")).attributes.acl == before.attributes.acl

    run(story)


@pytest.mark.parametrize("kind", having("renames"))
@pytest.mark.parametrize("size", [5, 500])
def test_a_renamed_key_is_at_its_new_place_only(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.renames is not None
        rename = bucket.features.renames.rename
        old = await bucket.put("from", upload(b"x" * size), Attributes("text/plain"))
        await put(bucket, "to", b"in the way")
        onto_nothing = rename(Renaming("from", "to", only_if=WriteIf(none_match="*")), actor="me")
        of_another = rename(Renaming("from", "to", WriteIf(match="other")), actor="me")
        of_nothing = rename(Renaming("absent", "to"), actor="me")

        assert await refused(onto_nothing) is faults.PreconditionFailed
        assert await refused(of_another) is faults.PreconditionFailed
        assert await refused(of_nothing) is faults.NoSuchKey
        clock.advance(ms=5_000)
        new = await rename(Renaming("from", "to", WriteIf(match=old.etag)), actor="me")
        assert new is not None
        assert (new.key, new.etag, new.attributes.content_type) == ("to", old.etag, "text/plain")
        assert (await bucket.head("to")).modified_ms == old.modified_ms
        assert await listed(bucket) == ["to"]
        assert await content(bucket, "to") == b"x" * size

    run(story)


@pytest.mark.parametrize("kind", having("renames"))
def test_a_rename_with_a_token_is_done_once(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.renames is not None
        rename = bucket.features.renames.rename
        await put(bucket, "from", b"1")
        asked = Renaming("from", "to", token="token")
        assert await refused(rename(replace(asked, source="absent"), actor="me")) is faults.NoSuchKey

        assert await rename(asked, actor="me") is not None
        assert await rename(asked, actor="me") is None
        await put(bucket, "from", b"2")
        assert await rename(asked, actor="me") is None
        other = replace(asked, only_if=WriteIf(none_match="*"))
        assert await refused(rename(other, actor="me")) is faults.IdempotencyParameterMismatch
        assert await content(bucket, "to") == b"1"
        assert await rename(asked, actor="another") is not None
        assert await content(bucket, "to") == b"2"

    run(story)


@pytest.mark.parametrize("kind", having("shares"))
@pytest.mark.parametrize("size", [5, 500])
def test_resting_content_is_shared_and_outlives_its_source(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "source", b"x" * size)
        resting = (await bucket.read("source")).resting
        assert resting is not None
        copy = await bucket.put("copy", resting, Attributes("text/plain"))
        await bucket.delete([Deletion("source")], actor="me")

        assert (copy.size, copy.etag, copy.attributes.content_type) == (size, resting.etag, "text/plain")
        assert await content(bucket, "copy") == b"x" * size

    run(story)


@pytest.mark.parametrize("kind", having("shares"))
@pytest.mark.parametrize("size", [5, 500])
def test_an_object_can_be_copied_onto_itself(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "key", b"x" * size)
        resting = (await bucket.read("key")).resting
        assert resting is not None
        await bucket.put("key", resting, Attributes("text/plain"))

        assert (await bucket.head("key")).attributes.content_type == "text/plain"
        assert await content(bucket, "key") == b"x" * size

    run(story)


@pytest.mark.parametrize("kind", having("past"))
def test_the_past_shows_the_bucket_as_it_was_and_cannot_be_changed(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.past is not None
        if bucket.features.versions is not None and not bucket.features.versions.state:
            assert await refused(bucket.features.past.at(clock.now_ms())) is faults.NotImplemented_
            await bucket.features.versions.set_state("Enabled")
        before = clock.now_ms() - 1
        await put(bucket, "a", b"data")
        then = clock.now_ms()
        clock.advance(ms=1000)
        await put(bucket, "b", b"data")
        past = await bucket.features.past.at(then)

        assert await listed(past) == ["a"]
        assert await content(past, "a") == b"data"
        assert await refused(past.head("b")) is faults.NoSuchKey
        assert await listed(await bucket.features.past.at(before)) == []
        assert past.features.writes is False
        assert await refused(past.put("c", upload(b"x"), Attributes())) is faults.NotImplemented_
        assert await refused(past.delete([Deletion("a")], actor="me")) is faults.NotImplemented_

    run(story)


@pytest.mark.parametrize("kind", having("history"))
@pytest.mark.parametrize("size", [5, 500])
def test_a_commit_shows_the_bucket_as_it_was_and_cannot_be_changed(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.history is not None
        as_of = bucket.features.history.as_of
        said = Attributes("text/plain", metadata={"a": "b"})
        first = await put(bucket, "a", b"1" * size, said)
        second = await put(bucket, "b", b"2" * size)
        await put(bucket, "a", b"3" * size)
        await bucket.delete([Deletion("b")], actor="me")

        for commit in (second.version, "HEAD^^", "HEAD~2"):
            view = await as_of(commit)

            assert await listed(view) == ["a", "b"]
            assert await listed(view, "b") == await listed(view, "", "aa") == ["b"]
            assert await content(view, "a") == b"1" * size
            assert await content(view, "b", span=Span(1, 2)) == b"22"
            assert (await view.head("a")).attributes.metadata == {"a": "b"}
            assert await content(view, "a", first.version) == b"1" * size
            assert await refused(view.head("c")) is faults.NoSuchKey
            assert await refused(view.head("a", (await bucket.head("a")).version)) is faults.NoSuchVersion
            assert view.features.writes is False
            assert await refused(view.put("c", upload(b"x"), Attributes())) is faults.NotImplemented_
            assert await refused(view.delete([Deletion("a")], actor="me")) is faults.NotImplemented_
        assert await listed(await as_of("HEAD")) == ["a"]
        assert await refused(as_of("0" * 32)) is faults.NoSuchVersion
        assert await refused(as_of("master")) is faults.InvalidVersionId

    run(story)
