"""The Python environment in .venv, made from the pinned and hashed requirements. Standard library only.

Each requirements file leaves a stamp with its hash when it is installed to the end. What was cut short has
no stamp and is installed again, which is quick for what is there already; an environment whose Python does
not run is made anew. uv is used where it is there, else pip: the same files, the same result. Where the
packages come from is the business of the installers' own settings.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.child import Child, NotReady
from deploy.local.refusals import CannotStart, Status
from deploy.local.steps import say, step

INSTALL_TIMEOUT_S = 1_800.0
MAKE_TIMEOUT_S = 120.0
PYTHON_VERSION_MIN = (3, 11)


class Environment:
    def __init__(self, root: Path, *, log: Path) -> None:
        self.folder, self.log = root / ".venv", log
        self._requirements = root / "requirements"
        self.python = self.folder / "bin" / "python"

    def make(self) -> None:
        """Make the environment unless there is one that works."""
        if self._works():
            return
        if self.folder.exists():
            say("The Python environment in .venv does not work (its making was cut short): it is made anew.")
            shutil.rmtree(self.folder)
        uv = self._uv()
        python = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
        making = (
            [uv, "venv", "--seed", "--quiet", "--python", str(python), str(self.folder)]
            if uv
            else [str(python), "-m", "venv", str(self.folder)]
        )
        with step("Making the Python environment in .venv"):
            self._run("python-environment", making, timeout_s=MAKE_TIMEOUT_S)

    def install(self, name: str, *, alone: bool = False) -> None:
        """Install requirements/<name>.txt. `alone`: without the dependencies that its packages name."""
        wanted, stamp = self._requirements / f"{name}.txt", self._stamp(name)
        if stamp.exists() and stamp.read_text() == self._mark(wanted):
            return
        self._install(name, "Python packages", ["--no-deps"] if alone else [])

    def install_beside(self, name: str) -> None:
        """Put what requirements/<name>.txt names into a folder of its own in the environment, alone: for the
        files its packages carry, never to be imported.
        """
        wanted, stamp = self._requirements / f"{name}.txt", self._stamp(name)
        folder = self.folder / name
        if folder.exists() and stamp.exists() and stamp.read_text() == self._mark(wanted):
            return
        stamp.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)  # An installer adds to a folder; it takes nothing away.
        self._install(name, "front-end files", ["--no-deps", "--target", str(folder)])

    def _install(self, name: str, what: str, options: list[str]) -> None:
        wanted, uv = self._requirements / f"{name}.txt", self._uv()
        installer = (
            [uv, "pip", "install", "--quiet", "--python", str(self.python)]
            if uv
            else [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        )
        command = [*installer, "--require-hashes", *options, "-r", str(wanted)]
        with step(f"Installing the {what} of requirements/{name}.txt with {'uv' if uv else 'pip'}"):
            self._run(f"requirements/{name}.txt", command, timeout_s=INSTALL_TIMEOUT_S)
        stamp = self._stamp(name)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(self._mark(wanted))

    def _stamp(self, name: str) -> Path:
        return self.folder / "concord-installed" / name

    def _works(self) -> bool:
        if not self.python.exists():
            return False
        check = [str(self.python), "-c", "import sys" if self._uv() else "import pip"]
        try:
            return subprocess.run(check, capture_output=True, check=False).returncode == 0
        except OSError:
            return False  # Half a Python: a file without its content or its run bit.

    def _uv(self) -> str | None:
        own = self.folder / "bin" / "uv"
        return shutil.which("uv") or (str(own) if own.exists() else None)

    def _mark(self, wanted: Path) -> str:
        """The same for the same requirements on the same Python in the same place."""
        text = f"{wanted.read_text()}\n{sys.version_info[:2]}\n{self.folder}"
        return hashlib.sha256(text.encode()).hexdigest()

    def _run(self, name: str, command: list[str], *, timeout_s: float) -> None:
        tool = Child(name, command, log=self.log)
        try:
            status = tool.wait_for_end(timeout_s=timeout_s)
        except NotReady as slow:
            raise _failed(str(slow), self.log) from slow
        if status != 0:
            raise _failed(f"{name} failed:\n{tool.log_of_this_start()[-1_500:]}", self.log)


def check_python() -> None:
    if sys.version_info < PYTHON_VERSION_MIN:
        has, wants = (".".join(map(str, each)) for each in (sys.version_info[:2], PYTHON_VERSION_MIN))
        raise CannotStart(
            Status.MISSING,
            f"This is Python {has}; Concord needs {wants} or later.",
            what_to_do="Debian 12: apt-get install python3. Another Python: make PYTHON=python3.12 run",
        )


def _failed(message: str, log: Path) -> CannotStart:
    status = Status.DISK_FULL if "No space left on device" in message else Status.MISSING
    return CannotStart(
        status, message, what_to_do=f"Start again when that is mended; it goes on from here. See {log}"
    )
