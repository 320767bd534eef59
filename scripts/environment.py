"""Make the local environment: a virtual environment with the project in it, and with `--tests` what its tests need.

    python3 scripts/environment.py .venv [--tests]

It runs on any Python 3 and looks for one that is new enough. Programs that no Python package brings (restic) come from the
system's packages where that is possible; otherwise it says what is missing, and goes on.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
PROGRAMS = ("restic",)  # Debian's package has the program's name
ROOT = Path(__file__).resolve().parent.parent


def main():
    """Make or complete the environment."""
    if sys.version_info < OLDEST:
        become_newer()
    folder, tests = Path(sys.argv[1]), "--tests" in sys.argv[2:]
    python = folder / "bin" / "python"
    pip = find_pip(folder, python)
    wanted = ["--editable", str(ROOT)]
    if tests:
        wanted += development()
    run([*pip, "install", "--quiet", "--disable-pip-version-check", *wanted])
    if tests:
        for program in PROGRAMS:
            provide(program)


def become_newer():
    """Go on with a newer Python, or say that there is none."""
    for name in NEWER:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])
    sys.exit("Trivium needs Python 3.11 or newer; this is %d.%d. Try: make PYTHON=/path/to/python3" % sys.version_info[:2])


def find_pip(folder, python):
    """The command that installs into the environment, which is made when it is not there.

    Debian's Python makes environments only with the package python3-venv; without it another pip may do.
    """
    if not python.exists():
        with_pip = subprocess.run([sys.executable, "-m", "venv", str(folder)], stdout=subprocess.DEVNULL, check=False)
        if with_pip.returncode != 0:
            run([sys.executable, "-m", "venv", "--without-pip", "--clear", str(folder)])
    for pip in ([str(python), "-m", "pip"], [sys.executable, "-m", "pip", "--python", str(python)]):
        if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode == 0:
            return pip
    sys.exit("There is no pip. Install it (Debian: apt install python3-venv), then run make again.")


def development():
    """The packages of the dependency group `dev`; its only reader besides us is a pip of 2025 or newer."""
    import tomllib

    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["dependency-groups"]["dev"]


def provide(program):
    """Install the program from the system's packages, if it is missing and we may."""
    if shutil.which(program):
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        run(["apt-get", "update", "-qq"], check=False)
        run(["apt-get", "install", "-y", "-qq", program], check=False)
    if not shutil.which(program):
        print(f"{program} is missing: its tests are skipped here, and fail where CI is set", file=sys.stderr)


def run(command, *, check=True):
    """Run the command; end with it when it fails and `check` is set."""
    code = subprocess.run(command, check=False).returncode
    if code and check:
        sys.exit(f"{' '.join(command)} failed")


main()
