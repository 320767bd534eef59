"""Listeners: what the settings say of them, checked before anything starts."""

from __future__ import annotations

import pytest

from trivium.app.listeners import check_places, openings
from trivium.app.reading import ConfigurationError
from trivium.app.settings import ListenerSettings, Settings
from trivium.door.sockets import Address


def of(*listeners, listen="", **more):
    return openings(Settings(listen=listen, listeners=tuple(listeners), **more))


def test_the_default_is_aws_on_this_machine_with_signatures():
    (one,) = openings(Settings())

    assert one.address == Address("127.0.0.1", 9000)
    assert (one.listener.dialect.name, one.listener.authentication, one.tls) == ("aws", "v4", None)


def test_more_listeners_come_behind_it():
    found = of(ListenerSettings(":39999", base_path="/api/v1/s3", dialect="alluxio", authentication="simple"), listen=":1")

    assert [one.at(one.address.port) for one in found] == ["http://0.0.0.0:1", "http://0.0.0.0:39999/api/v1/s3"]


def test_signatures_of_version_2_are_accepted_unless_a_listener_refuses_them():
    found = of(ListenerSettings(":1"), ListenerSettings(":2", signature_v2=False))

    assert [one.listener.signature_v2 for one in found] == [True, False]


def test_every_listener_knows_where_else_a_signature_of_version_2_might_be_sent():
    found = of(
        ListenerSettings(":1", base_path="/a"), ListenerSettings(":2", base_path="/b", signature_v2=False),
        ListenerSettings(":3", base_path="/c", authentication="simple"), listen=":4")

    assert [("/a",)] * 4 == [one.listener.bases for one in found]


def test_the_largest_put_is_the_settings_in_every_dialect():
    (one,) = of(ListenerSettings(":1", dialect="pachyderm"), max_put_bytes=7)

    assert one.listener.dialect.limits.max_put_bytes == 7


@pytest.mark.parametrize(("listener", "says"), [
    (ListenerSettings("nowhere"), "no HOST:PORT"),
    (ListenerSettings("http://127.0.0.1:9000"), "'http://127.0.0.1:9000' is no HOST:PORT"),
    (ListenerSettings(":1", base_path="api"), "starts with a slash"),
    (ListenerSettings(":1", base_path="/api/"), "starts with a slash"),
    (ListenerSettings(":1", default_user="x"), "default_user"),
    (ListenerSettings(":1", tls_certificate="x"), "both"),
    (ListenerSettings(":1", domains=("s3.test", "*.s3.test")), r"'\*\.s3\.test' in domains is no host name"),
    (ListenerSettings(":1", domains=("s3.test:9000",)), "'s3.test:9000' in domains is no host name"),
    (ListenerSettings(":1", domains=("",)), "'' in domains is no host name"),
    (ListenerSettings(":1", tls_certificate="/none", tls_key=__file__), "cannot be used: .* '/none'"),
    (ListenerSettings(":1", tls_certificate=__file__, tls_key="/none"), "cannot be used: .* '/none'"),
])
def test_listeners_that_cannot_be_are_refused(listener, says):
    with pytest.raises(ConfigurationError, match=says):
        of(listener)


def test_two_listeners_need_two_addresses():
    with pytest.raises(ConfigurationError, match=r"two listeners have the address 127\.0\.0\.1:1"):
        of(ListenerSettings("127.0.0.1:1"), listen="127.0.0.1:1")


@pytest.mark.parametrize(("one", "other"), [("127.0.0.1:1", ":1"), (":1", "127.0.0.1:1"), ("[::]:1", "127.0.0.1:1")])
def test_no_listener_can_have_a_part_of_anothers_address(one, other):
    with pytest.raises(ConfigurationError, match="one is part of the other"):
        of(ListenerSettings(other), listen=one)


def test_figures_can_have_no_part_of_a_listeners_address():
    with pytest.raises(ConfigurationError, match=r"metrics: a listener has 0\.0\.0\.0:1 already"):
        check_places(Settings(listen=":1", metrics="127.0.0.1:1"))


@pytest.mark.parametrize("region", ["", "us east 1", "eu/west"])
def test_a_region_is_a_name(region):
    with pytest.raises(ConfigurationError, match=f"region: '{region}' is no name"):
        check_places(Settings(region=region))


def test_the_access_log_is_a_file_that_can_be_written(tmp_path):
    (tmp_path / "log").touch()
    check_places(Settings(access_log=str(tmp_path / "log")))
    check_places(Settings(access_log=str(tmp_path / "another")))
    for place in (tmp_path, tmp_path / "none" / "log", tmp_path / "log" / "log"):
        with pytest.raises(ConfigurationError, match="access_log: .* is not a file that this user can write"):
            check_places(Settings(access_log=str(place)))


def test_ports_that_the_system_chooses_are_nobodys():
    assert len(of(ListenerSettings(":0"), listen="127.0.0.1:0")) == 2


def test_a_server_needs_a_listener():
    with pytest.raises(ConfigurationError, match="no listener"):
        of()
