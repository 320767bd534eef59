"""Imports go down only, and some things are done in one place only."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.house.sources import ROOT, Module, imported, modules, used

# What may be imported where: a prefix of a dotted name, and the rooms that may
ROOMS = {
    "socket": ("trivium.door",),
    "ssl": ("trivium.door",),
    "http": ("trivium.door",),
    "urllib.request": (),
    "granian": ("trivium.door", "trivium.app.bench"),
    "uvloop": ("trivium.app",),
    "sqlite3": ("trivium.storage.engines", "trivium.app.bench"),
    "xml": ("trivium.s3.xml_reading",),
    "random": ("trivium.base.ids",),
    "secrets": ("trivium.base.ids",),
    "uuid": ("trivium.base.ids",),
    "subprocess": ("trivium.app", "trivium.door.supervisor"),
    "multiprocessing": (),
    "pickle": (),
    "prometheus_client": ("trivium.door",),
}
USES = {
    "os.environ": ("trivium.app",),
    "os.getenv": ("trivium.app",),
    "os.urandom": ("trivium.base.ids",),
    "time.time": ("trivium.base.clock",),
    "time.time_ns": ("trivium.base.clock",),
    "time.monotonic": ("trivium.base.clock",),
    "time.perf_counter": ("trivium.base.clock",),
    "time.perf_counter_ns": ("trivium.base.clock",),
    "time.sleep": (),
    "datetime.now": (),
    "datetime.utcnow": (),
}


def allowed(module: Module, rooms: tuple[str, ...]) -> bool:
    return any(module.name == room or module.name.startswith(room + ".") for room in rooms)


def test_the_contracts_of_the_import_linter_hold():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ROOMS)
def test_a_library_is_imported_in_its_rooms_only(name: str):
    strays = [
        f"{module.place}:{line}" for module in modules() if not allowed(module, ROOMS[name])
        for found, line in imported(module) if found == name or found.startswith(name + ".")]

    assert strays == []


@pytest.mark.parametrize("name", USES)
def test_time_randomness_and_environment_come_from_one_place(name: str):
    strays = [
        f"{module.place}:{line}" for module in modules() if not allowed(module, USES[name])
        for found, line in (*used(module), *imported(module)) if found == name]

    assert strays == []
