"""The command line: what it says to whoever calls it wrongly, and to whoever stops reading."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from tests.servers import environment
from tests.unit.buckets.repo.branch_house import put
from trivium.app import cli
from trivium.base.clock import SystemClock
from trivium.base.ids import RandomIds
from trivium.buckets.record import Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder


@pytest.fixture(autouse=True)
def _no_settings_of_the_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("TRIVIUM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def data(tmp_path):
    """A data folder with a branch `master.images` and a commit for each of two keys."""

    async def story():
        clock, ids = SystemClock(), RandomIds()
        engine = SqliteEngine(folder.rows)
        ground = Ground(engine, FileBlobs(folder.blobs, clock, ids), clock, ids)
        branch = BranchBucket(ground, await Repositories(ground).create("master.images", "owner"), 0)
        await put(branch, "two\nlines\x1b[31m")
        await put(branch, "grün")
        await engine.close()

    folder = DataFolder(tmp_path / "data")
    with folder.served():
        asyncio.run(story())
    return str(tmp_path / "data")


def test_a_commit_is_one_line_whatever_its_key_holds(data, capsys):
    assert 0 == cli.main(["log", "--data", data, "images", "master"])

    assert ["put grün", r'"put two\nlines\u001b[31m"'] == [
        line.split("\t")[2] for line in capsys.readouterr().out.split("\n")[:-1]]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1" * 5000, "99999999999999999999"])
def test_a_number_of_commits_is_a_number(data, limit, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["log", "--data", data, "--limit", limit, "images", "master"])

    assert 2 == ended.value.code
    assert "argument --limit: " in capsys.readouterr().err


@pytest.mark.parametrize("branch", ["dev", "master"])
def test_a_fork_that_is_there_is_called_so(data, branch, capsys):
    cli.main(["fork", "--data", data, "images", "master", "dev"])
    code = cli.main(["fork", "--data", data, "images", "master", branch])

    assert 2 == code
    assert capsys.readouterr().err == (
        f"trivium: BucketAlreadyExists: There is a branch or a bucket of that name already. BucketName {branch}.images\n")


@pytest.mark.parametrize(("words", "what"), [
    (["branches", "nope"], "repository. BucketName nope"), (["log", "nope", "master"], "repository. BucketName nope"),
    (["log", "images", "nope"], "branch. BucketName nope.images"),
    (["fork", "images", "nope", "new"], "branch. BucketName nope.images")])
def test_what_is_not_there_is_called_by_its_name(data, words, what, capsys):
    assert 2 == cli.main([words[0], "--data", data, *words[1:]])
    assert capsys.readouterr().err == f"trivium: NoSuchBucket: There is no such {what}\n"


def test_who_reads_no_further_is_not_told_of_a_broken_pipe(data):
    process = subprocess.Popen(
        [sys.executable, "-m", "trivium", "log", "--data", data, "images", "master"], env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    with process:
        assert process.stderr is not None
        assert b"" == process.stderr.read()


def test_a_root_key_that_cannot_be_used_is_found_by_check(data, tmp_path, capsys):
    (tmp_path / "data" / "root-key.toml").write_text("access_key = 1")

    assert 2 == cli.main(["check", "--data", data])
    assert "root-key.toml: no access_key and secret_key are in it" in capsys.readouterr().err
