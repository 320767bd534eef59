"""What is known of files: when it holds, when it is dropped."""

from __future__ import annotations

import msgspec
import pytest

from trivium.buckets.entry import Attributes
from trivium.buckets.mount import notes
from trivium.buckets.mount.notes import FileNote
from trivium.under.store import Stat

FILE = Stat("a.txt", 3, 1_000, "3.1.7")
FOLDER = Stat("a/", 0, 1_000, "7")
NOTE = FileNote("3.1.7", "md5", 5, Attributes(metadata={"a": "b"}, owner="writer"))


def test_a_note_holds_for_its_mark_only() -> None:
    assert notes.holding(NOTE, FILE, "owner") == NOTE
    assert notes.holding(NOTE, msgspec.structs.replace(FILE, mark="3.2.7"), "owner") is None
    assert notes.holding(None, FILE, "owner") is None


def test_of_a_folder_everything_is_known() -> None:
    assert notes.holding(None, FOLDER, "owner") == FileNote("7", notes.EMPTY_MD5, 0, Attributes(owner="owner"))


def test_mounts_23_attributes_stay_with_the_same_bytes_and_go_with_others() -> None:
    touched = msgspec.structs.replace(FILE, mark="3.2.7")

    assert notes.looked_at(touched, "md5", NOTE, "owner") == msgspec.structs.replace(NOTE, mark="3.2.7")
    assert notes.looked_at(touched, "other", NOTE, "owner") == FileNote("3.2.7", "other", 0, Attributes(owner="owner"))
    assert notes.looked_at(touched, "other", None, "owner") == FileNote("3.2.7", "other", 0, Attributes(owner="owner"))


def test_mounts_19_23_the_md5_tells_the_bytes_of_an_upload_in_parts_again() -> None:
    touched, note = msgspec.structs.replace(FILE, mark="3.2.7"), msgspec.structs.replace(NOTE, etag="parts-2", md5="md5")

    assert notes.looked_at(touched, "md5", note, "owner") == msgspec.structs.replace(note, mark="3.2.7")
    assert notes.looked_at(touched, "other", note, "owner") == FileNote("3.2.7", "other", 0, Attributes(owner="owner"))


def test_a_note_from_before_there_was_an_md5_in_it_is_read() -> None:
    before = notes.NOTES.encode(NOTE)[:1] + msgspec.msgpack.encode(
        msgspec.msgpack.decode(notes.NOTES.encode(NOTE)[1:])[:-1])

    assert notes.NOTES.decode(before) == NOTE


def test_mounts_20_an_etag_of_facts_changes_with_the_mark_and_is_no_md5() -> None:
    etag = notes.etag_of_facts(FILE)

    assert etag == notes.etag_of_facts(FILE)
    assert etag != notes.etag_of_facts(msgspec.structs.replace(FILE, mark="3.2.7"))
    assert etag.endswith("-1")


@pytest.mark.parametrize(("key", "expected"), [
    ("a.txt", "text/plain"), ("dir.html/a.PNG", "image/png"), ("a.tar.gz", "application/gzip"), ("a", ""), (".txt", ""),
    ("a.nobodyknows", ""), ("a/", "application/x-directory"), ("dir.txt/a", ""), ("a.", ""),
])
def test_mounts_24_a_content_type_is_guessed_by_the_extension(key: str, expected: str) -> None:
    assert notes.guessed_type(key) == expected


def test_mounts_24_a_content_type_that_was_said_is_not_guessed() -> None:
    said = msgspec.structs.replace(NOTE, attributes=Attributes("application/x-mine"))

    assert notes.entry_of(FILE, said).attributes.content_type == "application/x-mine"
    assert notes.entry_of(FILE, NOTE).attributes.content_type == "text/plain"
