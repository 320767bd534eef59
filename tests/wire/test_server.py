"""The whole server as processes: one alone on a folder and a port, watched workers, a graceful end, figures, TLS."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import make_client
from tests.servers import Server, environment, free_port


@pytest.fixture
def start(tmp_path):
    """Starts servers, and ends those that are left."""
    started = []

    def begin(name="data", **options):
        started.append(Server.start(tmp_path / name, **options))
        return started[-1]

    yield begin
    for server in started:
        if server.process.poll() is None:
            server.stop()


def command(*words, **more):
    return subprocess.run(
        [sys.executable, "-m", "trivium", *map(str, words)], env={**environment(), **more}, capture_output=True, text=True,
        timeout=60, check=False)


def children(server):
    """The workers' process ids."""
    listed = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return [int(one) for one in listed.read_text().split()]


def until(condition, seconds=60):
    """Wait for what another process is about to do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_second_server_is_refused_by_folder_and_by_port(start, tmp_path) -> None:
    server = start()
    same_folder = command("serve", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{free_port()}")
    same_port = command("serve", "--data", tmp_path / "other", "--listen", f"127.0.0.1:{server.port}")

    assert same_folder.returncode == same_port.returncode == 2
    assert f"trivium: {tmp_path}/data is being served already, by the process with id {server.process.pid}.\n" == (
        same_folder.stderr)
    assert f"trivium: cannot listen at 127.0.0.1:{server.port}: Address already in use\n" == same_port.stderr


def snapshot(folder):
    """All that is in the folder, with its contents and times."""
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (folder, *folder.rglob("*"))}


def test_a_start_on_a_taken_port_makes_nothing_and_touches_nothing(start, tmp_path) -> None:
    port = start().port
    kept = start("kept")
    assert kept.stop() == 0
    before = snapshot(tmp_path / "kept")
    flags = ["--listen", f"127.0.0.1:{free_port()}", "--metrics", f"127.0.0.1:{port}"]
    fresh = [
        command("serve", "--data", tmp_path / "new" / "data", *taken)
        for taken in (["--listen", f"127.0.0.1:{port}"], flags)]
    again = command("serve", "--data", tmp_path / "kept", *flags)

    assert [2] * 3 == [done.returncode for done in (*fresh, again)]
    assert {f"trivium: cannot listen at 127.0.0.1:{port}: Address already in use\n"} == {
        done.stderr for done in (*fresh, again)}
    assert not (tmp_path / "new").exists()
    assert before == snapshot(tmp_path / "kept")


@pytest.mark.parametrize(("config", "secret", "refusal"), [
    ('[[mounts]]\nbucket = "photos"\npath = "/nowhere/at/all"\n', "long-enough", "/nowhere/at/all is no directory"),
    ('[[accounts]]\nname = "root"\n', "long-enough", "the account name root is given twice"),
    ("", "", "give both root_access_key and root_secret_key"),
])
def test_a_start_with_a_bad_configuration_makes_nothing(tmp_path, config, secret, refusal) -> None:
    (tmp_path / "trivium.toml").write_text(config)
    done = command(
        "serve", "--config", tmp_path / "trivium.toml", "--data", tmp_path / "data", "--listen", "127.0.0.1:0",
        TRIVIUM_ROOT_SECRET_KEY=secret)

    assert (2, True) == (done.returncode, refusal in done.stderr)
    assert ["trivium.toml"] == [path.name for path in tmp_path.iterdir()]


def test_a_server_that_stopped_can_be_started_again_at_once(start) -> None:
    server = start()
    make_client(server).create_bucket(Bucket="kept")

    assert server.stop() == 0
    assert [one["Name"] for one in make_client(start()).list_buckets()["Buckets"]] == ["kept"]


def test_ctrl_c_waits_for_the_requests_under_way(start) -> None:
    server = start()
    s3 = make_client(server)
    s3.create_bucket(Bucket="bucket")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "k"})
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        target = url.removeprefix(server.endpoint)
        client.sendall(f"PUT {target} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\ncontent-length: 10\r\n\r\nhello".encode())
        s3.list_buckets()  # the server has read what was sent before
        os.killpg(server.process.pid, signal.SIGINT)
        until(lambda: refuses(server.port))
        client.sendall(b"world")
        answer = client.recv(4096)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert server.process.wait(20) == 0


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def given_up(server, client):
    """Stop the server while the client's request is under way: what the client still gets."""
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0
    (line,) = [line for line in server.log.read_text().splitlines() if "under way" in line]
    assert "Traceback" not in server.log.read_text()
    assert "after 1 seconds" in line
    return client.recv(4096)


def test_an_upload_that_does_not_end_is_given_up_and_leaves_nothing(start, tmp_path) -> None:
    server = start(arguments=("--drain-seconds", "1"))
    s3 = make_client(server)
    s3.create_bucket(Bucket="bucket")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "k"}).removeprefix(server.endpoint)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"PUT {url} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\ncontent-length: 9000000\r\n\r\n".encode())
        client.sendall(bytes(1 << 20))
        until(lambda: any(path.is_file() for path in (tmp_path / "data" / "blobs").rglob("*")))
        answer = given_up(server, client)

    assert b"<Code>RequestTimeout</Code>" in answer
    assert [] == [path for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()]


def test_a_download_that_does_not_end_is_given_up(start) -> None:
    server = start(arguments=("--drain-seconds", "1"))
    s3 = make_client(server)
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=bytes(32 << 20))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "k"}).removeprefix(server.endpoint)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"GET {url} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        client.recv(1)

        assert given_up(server, client)


def test_a_worker_that_dies_is_replaced(start) -> None:
    server = start(workers=2)
    until(lambda: "Try it" in server.log.read_text())  # both are ready: one that dies before has not started at all
    before = children(server)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(children(server)) == 2 and before[0] not in children(server))
    s3 = make_client(server)
    for number in range(8):
        s3.create_bucket(Bucket=f"bucket-{number}")

    assert before[1] in children(server)
    assert "worker 0 died (exit code -9)" in server.log.read_text()


def test_workers_do_not_outlive_their_server(start) -> None:
    server = start(workers=2)
    workers = children(server)
    server.process.kill()
    server.process.wait()
    until(lambda: not any(Path(f"/proc/{one}").exists() for one in workers))

    assert start(workers=2).stop() == 0


def test_a_server_that_cannot_start_says_why_and_ends(tmp_path) -> None:
    (tmp_path / "data" / "rows").mkdir(parents=True)
    (tmp_path / "data" / "format").write_text("999\n")
    done = command("serve", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{free_port()}")

    assert done.returncode == 2
    assert "has format 999, made by a newer version" in done.stderr


def test_figures_add_up_over_workers(start) -> None:
    port = free_port()
    server = start(workers=2, arguments=("--metrics", f"127.0.0.1:{port}"))
    for _ in range(6):
        make_client(server).list_buckets()  # a connection each, so that both workers get some

    def total():
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        return sum(
            sample.value for family in text_string_to_metric_families(page) for sample in family.samples
            if sample.name == "trivium_requests_total" and sample.labels["action"] == "ListBuckets")

    until(lambda: total() == 6)
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready").status == 200


def test_every_request_is_a_line_of_the_access_log(start, tmp_path) -> None:
    server = start(arguments=("--access-log", str(tmp_path / "access.log")))
    make_client(server).list_buckets()
    server.stop()
    (line,) = [json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines()]

    assert (line["action"], line["status"], line["client"]) == ("ListBuckets", 200, "127.0.0.1")


def test_accounts_own_their_buckets(start) -> None:
    server = start(config="""
        [[accounts]]
        name = "alice"
        keys = [{access_key = "ALICE", secret_key = "alice-secret"}]
    """)
    alice = make_client(server, access_key="ALICE", secret_key="alice-secret")
    alice.create_bucket(Bucket="hers")

    assert alice.list_buckets()["Owner"]["DisplayName"] == "alice"
    with pytest.raises(alice.exceptions.ClientError, match="AccessDenied"):
        make_client(server).list_objects_v2(Bucket="hers")


def test_a_directory_is_served_as_a_bucket(start, tmp_path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"jpeg")
    server = start(config=f'[[mounts]]\nbucket = "photos"\npath = "{tmp_path}/photos"\n')
    s3 = make_client(server)
    s3.put_object(Bucket="photos", Key="two.jpg", Body=b"more")

    assert s3.get_object(Bucket="photos", Key="one.jpg")["Body"].read() == b"jpeg"
    assert (tmp_path / "photos" / "two.jpg").read_bytes() == b"more"


def test_an_upload_in_parts_into_a_directory_keeps_its_etag_over_a_restart(start, tmp_path) -> None:
    (tmp_path / "photos").mkdir()
    config = f'[[mounts]]\nbucket = "photos"\npath = "{tmp_path}/photos"\n'
    server = start(config=config)
    s3, one = make_client(server), {"Bucket": "photos", "Key": "one.jpg"}
    upload = {**one, "UploadId": s3.create_multipart_upload(**one)["UploadId"]}
    bodies = [b"1" * (5 << 20), b"2"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(bodies, 1)]
    etag = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})["ETag"]
    digests = b"".join(hashlib.md5(body).digest() for body in bodies)

    def shown(s3):
        (listed,) = s3.list_objects_v2(Bucket="photos")["Contents"]
        attributes = s3.get_object_attributes(**one, ObjectAttributes=["ETag"])
        return {s3.head_object(**one)["ETag"], s3.get_object(**one)["ETag"], listed["ETag"], f'"{attributes["ETag"]}"'}

    assert f'"{hashlib.md5(digests).hexdigest()}-2"' == etag
    assert shown(s3) == {etag}
    server.stop()
    s3 = make_client(start(config=config))
    assert shown(s3) == {etag}
    assert s3.get_object(**one, IfMatch=etag)["Body"].read() == b"".join(bodies)
    s3.put_object(**one, Body=b"new", IfMatch=etag)
    assert shown(s3) == {f'"{hashlib.md5(b"new").hexdigest()}"'}
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.put_object(**one, Body=b"newer", IfMatch=etag)


def test_branches_are_made_by_requests_and_forked_by_the_command(start, tmp_path) -> None:
    port = free_port()
    server = start(config=f'[[listeners]]\nlisten = "127.0.0.1:{port}"\ndialect = "pachyderm"\ncreates = "branches"\n')
    branches = Server(server.process, port, server.log)
    s3 = make_client(branches)
    s3.create_bucket(Bucket="master.images")
    s3.put_object(Bucket="master.images", Key="k", Body=b"1")
    forked = command("fork", "--data", tmp_path / "data", "images", "master", "dev")
    s3.put_object(Bucket="master.images", Key="k", Body=b"2")
    listed = command("branches", "--data", tmp_path / "data", "images").stdout.splitlines()

    assert forked.stdout == "dev.images\n"
    assert s3.get_object(Bucket="dev.images", Key="k")["Body"].read() == b"1"
    assert [line.split("\t")[0] for line in listed] == ["dev.images", "master.images"]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for this machine and its key, made by the openssl command."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out",
         folder / "cert.pem"], check=True, capture_output=True)
    return folder


def test_objects_and_health_checks_keep_out_of_each_others_way(start) -> None:
    """Objects whose keys look like questions after health, in buckets of both styles, read by nobody in particular."""
    port = free_port()
    server = start(config=f"""
        [[listeners]]
        listen = "127.0.0.1:{port}"
        domains = ["s3.test"]
    """)
    client = make_client(server)
    for name in ("health", "minio"):
        with pytest.raises(ClientError, match="InvalidBucketName"):
            client.create_bucket(Bucket=name)
    client.create_bucket(Bucket="public", ACL="public-read")
    client.put_object(Bucket="public", Key="health/live", Body=b"an object", ACL="public-read")
    endpoint = f"http://127.0.0.1:{port}"
    asked = urllib.request.Request(f"{endpoint}/health/live", headers={"host": "public.s3.test"})

    assert b"an object" == urllib.request.urlopen(asked).read()
    assert b"an object" == urllib.request.urlopen(f"{endpoint}/public/health/live").read()
    assert b"" == urllib.request.urlopen(f"{endpoint}/health/live").read()


def test_a_mount_cannot_have_the_name_of_the_health_checks(tmp_path) -> None:
    (tmp_path / "trivium.toml").write_text(f'[[mounts]]\nbucket = "health"\npath = "{tmp_path}"\n')
    done = command("check", "--config", tmp_path / "trivium.toml", "--data", tmp_path / "data")

    assert (2, True) == (done.returncode, "reserved" in done.stderr)


def test_tls_needs_two_files(start, certificate) -> None:
    port = free_port()
    start(config=f"""
        [[listeners]]
        listen = "127.0.0.1:{port}"
        tls_certificate = "{certificate}/cert.pem"
        tls_key = "{certificate}/key.pem"
    """)
    context = ssl.create_default_context(cafile=str(certificate / "cert.pem"))

    assert urllib.request.urlopen(f"https://127.0.0.1:{port}/health/live", context=context).status == 200


def test_check_says_what_would_be_served_and_makes_nothing(tmp_path) -> None:
    done = command("check", "--data", tmp_path / "data")

    assert done.returncode == 0
    assert done.stdout.endswith("all is well\n")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_still_to_be_made_stands_in_nobodys_way(tmp_path) -> None:
    (tmp_path / "trivium.toml").write_text(
        '[[accounts]]\nname = "alice"\nkeys = [{access_key = "root", secret_key = "alice-secret"}]\n')
    done = command("check", "--config", tmp_path / "trivium.toml", "--data", tmp_path / "data",
                   TRIVIUM_ROOT_ACCESS_KEY="", TRIVIUM_ROOT_SECRET_KEY="")

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("word", ["check", "serve"])
def test_check_and_serve_refuse_one_listener_inside_another(tmp_path, word) -> None:
    port = free_port()
    (tmp_path / "trivium.toml").write_text(f'[[listeners]]\nlisten = "0.0.0.0:{port}"\n')
    done = command(word, "--config", tmp_path / "trivium.toml", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{port}")

    said = f"two listeners cannot have the addresses 127.0.0.1:{port} and 0.0.0.0:{port}: one is part of the other"

    assert (2, f"trivium: {said}\n") == (done.returncode, done.stderr)


def test_check_says_what_is_wrong() -> None:
    done = command("check", "--listen", "nowhere")

    assert (done.returncode, done.stderr) == (2, "trivium: listen: 'nowhere' is no HOST:PORT\n")


@pytest.mark.parametrize("word", ["version", "--version"])
def test_the_version_is_told(word) -> None:
    done = command(word)

    assert (done.returncode, done.stdout, done.stderr) == (0, "trivium 0.1.0\n", "")


def test_a_first_start_shows_the_secret_once(tmp_path) -> None:
    bare = {"TRIVIUM_ROOT_ACCESS_KEY": "", "TRIVIUM_ROOT_SECRET_KEY": ""}
    shown = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "trivium", "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0"],
            env={**environment(), **bare}, stdout=subprocess.PIPE, text=True)
        with process:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if "s3 cp" in line:
                    break
            process.send_signal(signal.SIGTERM)
        shown.append("".join(said))
    secret = secret_in(tmp_path / "data")

    assert secret in shown[0]
    assert secret not in shown[1]
    assert "endpoint    http://127.0.0.1:" in shown[0]


def session(tmp_path, *words):
    """The endpoint, standard output and standard error of a server that made its own key and answered one request."""
    out, err, port = tmp_path / "out", tmp_path / "err", free_port()
    bare = {"TRIVIUM_ROOT_ACCESS_KEY": "", "TRIVIUM_ROOT_SECRET_KEY": ""}
    with out.open("wb") as printed, err.open("wb") as logged, subprocess.Popen(
        [sys.executable, "-m", "trivium", "serve", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{port}", *words],
        env={**environment(), **bare}, stdout=printed, stderr=logged,
    ) as process:
        until(lambda: "TRV" in out.read_text() + err.read_text())  # it has said which key is root's
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/bucket/key")
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    return f"http://127.0.0.1:{port}", out.read_text(), err.read_text()


def secret_in(data):
    return (data / "root-key.toml").read_text().split('secret_key = "')[1].split('"')[0]


def test_logs_for_programs_are_json_from_the_start_and_hold_no_secret(tmp_path) -> None:
    endpoint, printed, logged = session(tmp_path, "--log-format", "json", "--access-log", "-")
    said = [json.loads(line) for line in logged.splitlines()]
    (started,) = [one for one in said if "endpoints" in one]

    assert {"url": endpoint, "dialect": "aws", "authentication": "v4"} == started["endpoints"][0]
    assert (tmp_path / "data" / "root-key.toml").as_posix() == started["secret_key_in"]
    assert started["access_key"].startswith("TRV")
    assert secret_in(tmp_path / "data") not in logged + printed
    assert all("action" in json.loads(line) for line in printed.splitlines())


def test_the_secret_is_logged_when_it_is_asked_for(tmp_path) -> None:
    _, printed, logged = session(tmp_path, "--log-format", "json", "--show-secret")

    assert secret_in(tmp_path / "data") == json.loads(logged.splitlines()[0])["secret_key"]
    assert printed == ""


def test_an_access_log_has_standard_output_for_itself(tmp_path) -> None:
    _, printed, logged = session(tmp_path, "--access-log", "-")

    assert [404] == [json.loads(line)["status"] for line in printed.splitlines()]
    assert "Try it, in another terminal:" in logged


def test_a_refused_start_is_a_log_event_too(tmp_path) -> None:
    done = command("serve", "--data", tmp_path / "data", "--log-format", "json", "--listen", "127.0.0.1:0",
                   "--metrics", "nowhere")

    assert (2, "") == (done.returncode, done.stdout)
    assert "metrics: 'nowhere' is no HOST:PORT" == json.loads(done.stderr)["message"]
