"""The data folder keeps its format, its lock, and strangers out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import MIGRATIONS, DataFolder, FolderRefused, Migration


def serve(path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> DataFolder:
    """Serve it for a moment."""
    folder = DataFolder(path, migrations=migrations)
    with folder.served():
        return folder


def test_a_new_folder_is_its_owners_only(tmp_path: Path) -> None:
    folder = serve(tmp_path / "deep" / "data")

    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.rows.parent.is_dir()
    assert folder.blobs.is_dir()
    folder.check()


def test_a_folder_is_opened_again(tmp_path: Path) -> None:
    serve(tmp_path / "data")
    serve(tmp_path / "data")


def lose(folder: DataFolder, how: str) -> None:
    folder.rows.unlink()
    if how == "empty":
        folder.rows.touch()
    if how == "blobs only":
        (folder.rows.parent / "generation").unlink()
        (folder.blobs / "ab").mkdir()
        (folder.blobs / "ab" / "abcd").touch()


def test_a_folder_that_lost_its_blobs_is_refused_since_large_objects_would_be_internal_errors(tmp_path: Path) -> None:
    async def engine() -> None:
        await SqliteEngine(folder.rows).close()

    folder = serve(tmp_path)
    asyncio.run(engine())
    folder.blobs.rmdir()

    with pytest.raises(FolderRefused, match="blobs is missing"):
        serve(tmp_path)
    with pytest.raises(FolderRefused, match="blobs is missing"):
        folder.check()


@pytest.mark.parametrize("how", ["missing", "empty", "blobs only"])
def test_a_folder_that_lost_its_database_is_refused_since_its_blobs_would_be_swept(tmp_path: Path, how: str) -> None:
    async def engine() -> None:
        await SqliteEngine(folder.rows).close()

    folder = serve(tmp_path)
    asyncio.run(engine())
    folder.check()
    serve(tmp_path)
    lose(folder, how)

    with pytest.raises(FolderRefused, match=r"rows\.db is missing or empty"):
        serve(tmp_path)
    with pytest.raises(FolderRefused, match=r"rows\.db is missing or empty"):
        folder.check()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    folder = serve(tmp_path)
    folder.rows.write_bytes(b"something else" * 1000)

    with pytest.raises(FolderRefused, match=r"rows\.db cannot be used: file is not a database"):
        SqliteEngine(folder.rows)


def test_a_second_server_is_refused_and_told_who_has_the_folder(tmp_path: Path) -> None:
    with DataFolder(tmp_path).served(), pytest.raises(FolderRefused, match=f"process with id {os.getpid()}"):
        serve(tmp_path)
    serve(tmp_path)


def test_a_folder_of_a_newer_house_is_refused_and_left_alone(tmp_path: Path) -> None:
    serve(tmp_path)
    (tmp_path / "format").write_text("7\n")

    with pytest.raises(FolderRefused, match="format 7, made by a newer version"):
        serve(tmp_path)
    with pytest.raises(FolderRefused, match="newer"):
        DataFolder(tmp_path).check()
    assert (tmp_path / "format").read_text() == "7\n"


@pytest.mark.parametrize("text", ["", "0", "-1", "one", "²"])
def test_a_format_that_is_no_number_is_refused(tmp_path: Path, text: str) -> None:
    serve(tmp_path)
    (tmp_path / "format").write_text(text)

    with pytest.raises(FolderRefused, match="no format number"):
        serve(tmp_path)


def test_an_older_folder_is_migrated_step_by_step(tmp_path: Path) -> None:
    serve(tmp_path, migrations=())
    steps: list[str] = []
    migrations = [lambda path: steps.append("to 2"), lambda path: steps.append("to 3")]
    newer = DataFolder(tmp_path, migrations=migrations)

    with pytest.raises(FolderRefused, match="migrates it"):
        newer.check()
    with newer.served():
        assert steps == ["to 2", "to 3"]
    with newer.served():
        assert steps == ["to 2", "to 3"]
    assert (tmp_path / "format").read_text() == "3\n"


def test_a_migration_that_fails_is_run_again_and_those_before_it_are_not(tmp_path: Path) -> None:
    serve(tmp_path, migrations=())
    steps: list[str] = []

    def fail_once(path: Path) -> None:
        steps.append("to 3")
        if len(steps) == 2:
            raise OSError

    newer = DataFolder(tmp_path, migrations=[lambda path: steps.append("to 2"), fail_once])

    with pytest.raises(OSError), newer.served():
        pass
    with newer.served():
        assert steps == ["to 2", "to 3", "to 3"]


def test_a_house_that_knows_one_part_a_row_refuses_the_folder(tmp_path: Path) -> None:
    serve(tmp_path, migrations=())

    serve(tmp_path)

    with pytest.raises(FolderRefused, match="has format 2, made by a newer version"):
        serve(tmp_path, migrations=())


def test_somebody_elses_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(FolderRefused, match="thesis.tex"):
        serve(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(FolderRefused, match="not a folder"):
        serve(tmp_path / "data")


def test_checking_what_is_not_a_data_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(FolderRefused, match="not a data folder"):
        DataFolder(tmp_path).check()
