"""The configuration: what is said later wins, and what cannot be is said clearly."""

from __future__ import annotations

from pathlib import Path

import pytest

from trivium.app.reading import ConfigurationError, read_settings
from trivium.app.rows import fields_of
from trivium.app.settings import AccountSettings, KeySettings, ListenerSettings, MountSettings, Settings


@pytest.fixture
def file(tmp_path):
    """Writes a configuration file and names it."""

    def write(text):
        path = tmp_path / "trivium.toml"
        path.write_text(text)
        return path

    return write


def refusal(file=None, environment=None, flags=None):
    with pytest.raises(ConfigurationError) as caught:
        read_settings(file, environment or {}, flags or {})
    return str(caught.value)


def test_without_a_word_all_is_default():
    assert read_settings(None, {"PATH": "/bin"}, {}) == Settings()


def test_what_is_said_later_wins(file):
    path = file("workers = 2\nregion = 'file'\ninline_bytes = 1")
    found = read_settings(path, {"TRIVIUM_REGION": "variable", "TRIVIUM_INLINE_BYTES": "2"}, {"inline_bytes": "3"})

    assert (found.workers, found.region, found.inline_bytes) == (2, "variable", 3)


def test_a_file_that_is_no_utf_8_is_refused(tmp_path):
    (tmp_path / "trivium.toml").write_bytes(b"data = '\xff'")

    assert "trivium.toml: 'utf-8' codec" in refusal(tmp_path / "trivium.toml")


def test_tables_are_read(file):
    path = file("""
        [[listeners]]
        listen = ":39999"
        base_path = "/api/v1/s3"
        domains = ["s3.local"]
        [[accounts]]
        name = "main"
        keys = [{access_key = "abc", secret_key = "12345678"}]
        [[mounts]]
        bucket = "photos"
        path = "/srv/photos"
        readonly = true
    """)
    found = read_settings(path, {}, {})

    assert found.listeners == (ListenerSettings(":39999", base_path="/api/v1/s3", domains=("s3.local",)),)
    assert found.accounts == (AccountSettings("main", keys=(KeySettings("abc", "12345678"),)),)
    assert found.mounts == (MountSettings("photos", "/srv/photos", readonly=True),)


def test_listeners_take_the_place_of_the_default_one_and_stand_beside_one_that_is_given(file):
    path = file("[[listeners]]\nlisten = ':1'")

    assert read_settings(path, {}, {}).listen == ""
    assert read_settings(path, {}, {"listen": ":2"}).listen == ":2"


@pytest.mark.parametrize(("text", "says"), [
    ("wrkers = 2", "unknown setting wrkers; did you mean workers?"),
    ("workers = '2'", "workers is a whole number, not '2'"),
    ("workers = true", "workers is a whole number, not True"),
    ("workers = 0", "workers is between 1 and 64 processes, not 0"),
    ("log_level = 'inf'", "log_level is one of debug, info, warning, error, not 'inf'; did you mean info?"),
    ("[listeners]\nlisten = ':1'",
     "listeners is a list of tables, each in double brackets, or listeners = [{ listen = … }]"),
    ("[[accounts]]\nname = 'a'\nkeys = ['A', 'B']",
     "accounts[1]: keys is a list of tables, each in double brackets, or keys = [{ access_key = …, secret_key = … }]"),
    ("[[listeners]]\nlisten = ':1'\ndialect = 'alluxo'", "listeners[1]: dialect is one of"),
    ("[[listeners]]\nlisten = ':1'\ndomains = 'a'", "listeners[1]: domains is a list of strings"),
    ("[[mounts]]\nbucket = 'a'", "mounts[1]: path is missing"),
    ("[[accounts]]\nname = 'a'\nkeys = [{access_key = 'a', secret = 'b'}]", "unknown setting secret; did you mean secret_key?"),
    ("x =", "Invalid value"),
])
def test_what_cannot_be_is_said_clearly(file, text, says):
    path = file(text)
    said = refusal(path)

    assert said.startswith(str(path))
    assert says in said


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert refusal(tmp_path / "none.toml") == f"{tmp_path}/none.toml: No such file or directory"


def test_an_unknown_variable_is_refused():
    assert refusal(environment={"TRIVIUM_WORKRES": "1"}) == (
        "environment: unknown setting TRIVIUM_WORKRES; did you mean TRIVIUM_WORKERS?")


def test_words_are_read_as_what_they_stand_for():
    assert refusal(flags={"workers": "two"}) == "--workers: 'two' is no whole number"
    assert read_settings(None, {"TRIVIUM_DATA": "/srv/data"}, {}).data == Path("/srv/data")


@pytest.mark.parametrize("table", [Settings, ListenerSettings, AccountSettings, KeySettings, MountSettings])
def test_every_setting_has_a_sentence_and_numbers_have_a_unit(table):
    for field in fields_of(table):
        assert field.row.says.endswith("."), field.name
        assert (field.kind is int) == bool(field.row.unit), field.name


def test_every_default_is_allowed():
    spoken = {
        field.variable: str(field.default) for field in fields_of(Settings) if field.scalar and field.default != ""}

    assert read_settings(None, spoken, {}) == Settings()
