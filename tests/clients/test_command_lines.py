"""aws, s3cmd, rclone and restic: programs that people script with."""

from __future__ import annotations

import json
import os

MIB = 1 << 20


def make_tree(root):
    (root / "sub dir").mkdir(parents=True)
    (root / "one.txt").write_bytes(b"one")
    (root / "sub dir" / "two & three.bin").write_bytes(os.urandom(100_000))
    (root / "sub dir" / "ü.txt").write_bytes("grün".encode())
    (root / "big").write_bytes(os.urandom(17 * MIB))
    (root / "empty").write_bytes(b"")


def tree(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_aws_s3_copies_synchronises_moves_and_removes(run, aws, bucket, tmp_path):
    make_tree(tmp_path / "here")
    run(*aws, "s3", "sync", str(tmp_path / "here"), f"s3://{bucket}/there")
    run(*aws, "s3", "sync", f"s3://{bucket}/there", str(tmp_path / "back"))
    assert tree(tmp_path / "here") == tree(tmp_path / "back")
    assert "" == run(*aws, "s3", "sync", str(tmp_path / "here"), f"s3://{bucket}/there")

    run(*aws, "s3", "cp", f"s3://{bucket}/there/big", f"s3://{bucket}/copied/big")
    run(*aws, "s3", "mv", f"s3://{bucket}/there/one.txt", f"s3://{bucket}/moved.txt")
    listed = run(*aws, "s3", "ls", "--recursive", f"s3://{bucket}/")
    assert "copied/big" in listed
    assert "there/one.txt" not in listed

    run(*aws, "s3", "rm", "--recursive", f"s3://{bucket}/there")
    assert ["copied/big", "moved.txt"] == [line.split()[-1] for line in run(
        *aws, "s3", "ls", "--recursive", f"s3://{bucket}/").splitlines()]


def test_aws_s3api_shares_a_bucket_and_what_is_in_it(run, aws, server, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"shared")
    run(*aws, "s3", "cp", "--acl", "public-read", str(tmp_path / "f"), f"s3://{bucket}/f")
    run(*aws, "s3", "cp", str(tmp_path / "f"), f"s3://{bucket}/private")
    run(*aws, "s3api", "put-bucket-acl", "--bucket", bucket, "--acl", "public-read")
    policy = run(*aws, "s3api", "get-object-acl", "--bucket", bucket, "--key", "f")
    run(*aws, "s3api", "put-object-acl", "--bucket", bucket, "--key", "private", "--access-control-policy", policy)

    assert ["READ", "FULL_CONTROL"] == [grant["Permission"] for grant in json.loads(policy)["Grants"]]
    assert "shared" == run("curl", "-sf", f"{server.endpoint}/{bucket}/private")
    assert "<Key>private</Key>" in run("curl", "-sf", f"{server.endpoint}/{bucket}")
    listed = run(*aws, "--no-sign-request", "s3", "ls", f"s3://{bucket}/")
    assert ["f", "private"] == [line.split()[-1] for line in listed.splitlines()]


def test_aws_presign_gives_a_url_that_curl_reads(run, aws, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"presigned")
    run(*aws, "s3", "cp", str(tmp_path / "f"), f"s3://{bucket}/a b+ä(1)~")

    old = run(*aws, "s3", "presign", f"s3://{bucket}/a b+ä(1)~").strip()
    run("aws", "configure", "set", "default.s3.signature_version", "s3v4")
    new = run(*aws, "s3", "presign", f"s3://{bucket}/a b+ä(1)~").strip()

    assert ("&Signature=" in old, "&X-Amz-Signature=" in new) == (True, True)
    assert ["presigned"] * 2 == [run("curl", "-sf", url) for url in (old, new)]


def test_aws_s3api_speaks_of_versions(run, aws, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"1")
    run(*aws, "s3api", "put-bucket-versioning", "--bucket", bucket, "--versioning-configuration", "Status=Enabled")
    put = json.loads(run(*aws, "s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", str(tmp_path / "f")))
    run(*aws, "s3api", "delete-object", "--bucket", bucket, "--key", "k")
    got = json.loads(run(*aws, "s3api", "get-object", "--bucket", bucket, "--key", "k", "--version-id", put["VersionId"],
                         str(tmp_path / "g")))

    assert b"1" == (tmp_path / "g").read_bytes()
    assert put["VersionId"] == got["VersionId"]


def test_s3cmd_puts_lists_and_gets(run, s3cmd, bucket, tmp_path):
    make_tree(tmp_path / "here")
    run(*s3cmd, "put", "--recursive", f"{tmp_path / 'here'}/", f"s3://{bucket}/tree/")
    assert "s3://" + bucket + "/tree/one.txt" in run(*s3cmd, "ls", f"s3://{bucket}/tree/")
    (tmp_path / "back").mkdir()
    run(*s3cmd, "get", "--recursive", f"s3://{bucket}/tree/", f"{tmp_path / 'back'}/")
    assert tree(tmp_path / "here") == tree(tmp_path / "back")

    run(*s3cmd, "cp", f"s3://{bucket}/tree/one.txt", f"s3://{bucket}/one")
    run(*s3cmd, "del", "--recursive", "--force", f"s3://{bucket}/tree/")
    assert [f"s3://{bucket}/one"] == [line.split()[-1] for line in run(
        *s3cmd, "ls", "--recursive", f"s3://{bucket}").splitlines()]


def test_s3cmd_signs_with_version_2_too(run, s3cmd, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    old = (*s3cmd, "--signature-v2")
    for key in ("k", "a b+ä", "it's(*)!$&,;=:@~", "q?acl", "100%"):
        run(*old, "put", str(tmp_path / "f"), f"s3://{bucket}/{key}")
        run(*old, "get", "--force", f"s3://{bucket}/{key}", str(tmp_path / "g"))
        assert b"old" == (tmp_path / "g").read_bytes()
        assert "old" == run("curl", "-sf", run(*old, "signurl", f"s3://{bucket}/{key}", "+60").strip())

    (tmp_path / "big").write_bytes(os.urandom(17 * MIB))
    run(*old, "put", str(tmp_path / "big"), f"s3://{bucket}/big")
    run(*old, "get", f"s3://{bucket}/big", str(tmp_path / "back"))
    assert (tmp_path / "big").read_bytes() == (tmp_path / "back").read_bytes()


def test_rclone_synchronises_and_finds_no_difference(run, rclone, bucket, tmp_path):
    make_tree(tmp_path / "here")

    run(*rclone, "sync", str(tmp_path / "here"), f"trivium:{bucket}/tree")
    run(*rclone, "check", "--download", str(tmp_path / "here"), f"trivium:{bucket}/tree")
    run(*rclone, "copy", f"trivium:{bucket}/tree", str(tmp_path / "back"))

    assert tree(tmp_path / "here") == tree(tmp_path / "back")
    (tmp_path / "here" / "one.txt").unlink()
    run(*rclone, "sync", str(tmp_path / "here"), f"trivium:{bucket}/tree")
    assert "one.txt" not in run(*rclone, "lsf", "-R", f"trivium:{bucket}/tree")


def test_restic_backs_up_checks_and_restores(run, restic, bucket, tmp_path):
    make_tree(tmp_path / "here")

    run(*restic, "init")
    run(*restic, "backup", str(tmp_path / "here"))
    run(*restic, "check", "--read-data")
    run(*restic, "restore", "latest", "--target", str(tmp_path / "back"))

    assert tree(tmp_path / "here") == tree(tmp_path / "back" / str(tmp_path / "here").lstrip("/"))
