"""Clients in their usual configuration, pointed at the server of the session."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


@pytest.fixture
def environment(server, tmp_path):
    """The environment of command line clients: only our keys, no configuration of the machine's user."""
    return {
        "AWS_CONFIG_FILE": str(tmp_path / "aws.config"), "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "", "RESTIC_PASSWORD": "secret", "RESTIC_CACHE_DIR": str(tmp_path / "cache"),
        "RCLONE_CONFIG": str(tmp_path / "none"),
        "RCLONE_CONFIG_TRIVIUM_TYPE": "s3", "RCLONE_CONFIG_TRIVIUM_PROVIDER": "Other",
        "RCLONE_CONFIG_TRIVIUM_ENV_AUTH": "true", "RCLONE_CONFIG_TRIVIUM_ENDPOINT": server.endpoint,
    }


@pytest.fixture
def run(environment):
    """Runs a program to its end and gives what it printed; a failure shows all of it."""

    def run(program, *arguments):
        found = shutil.which(program)
        if found is None and not os.environ.get("CI"):
            pytest.skip(f"{program} is not installed; where CI is set this is a failure")
        assert found is not None, f"{program} is not installed: scripts/environment.py should have brought it"
        done = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{program} {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture
def aws(server):
    return ("aws", "--endpoint-url", server.endpoint)


@pytest.fixture
def s3cmd(server):
    host = server.endpoint.removeprefix("http://")
    return ("s3cmd", f"--access_key={server.access_key}", f"--secret_key={server.secret_key}", f"--host={host}",
            f"--host-bucket={host}", "--no-ssl", "--no-progress", "--config=/dev/null")


@pytest.fixture
def rclone():
    return ("rclone", "--s3-force-path-style", "--retries", "1")


@pytest.fixture
def restic(server, bucket):
    return ("restic", "-r", f"s3:{server.endpoint}/{bucket}/backup", "-o", "s3.bucket-lookup=path")
