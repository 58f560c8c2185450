# SPDX-License-Identifier: Apache-2.0
"""The old novaclients, each in a Python environment of its own.

``python tests/clients/environments.py [DIR]`` makes ``DIR/novaclient-VERSION/`` for each; the
tests do the same for those that are missing. The packages are those of ``requirements/``, from
wherever pip is set up to take packages.
"""

import argparse
import fcntl
import hashlib
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VERSIONS = ("2.18.1", "2.35.0", "3.4.0", "7.1.2")

Progress = Callable[[str], None]

_REQUIREMENTS = Path(__file__).parent / "requirements"
#: What builds the packages that have no wheel: their setup.py is older than build isolation.
_BUILD_TOOLS = ("setuptools", "wheel")
_LINES_OF_A_FAILURE = 20

#: Python 3.11 dropped a function without which the clients before 4.0 die where they should
#: report that there is no such node, and 3.4 where it is given an integer. Its successor fits.
_OLDER_PYTHON = 'import inspect; vars(inspect).setdefault("getargspec", inspect.getfullargspec)\n'


class InstallError(Exception):
    """An environment could not be made; the message has the last lines of what failed."""


@dataclass(frozen=True)
class Environment:
    """One version of novaclient, below ``directory``."""

    version: str
    directory: Path

    @property
    def name(self) -> str:
        """``novaclient-VERSION``."""
        return f"novaclient-{self.version}"

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.directory / self.name

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.path / "bin" / "python"

    @property
    def nova(self) -> Path:
        """Its ``nova`` command."""
        return self.path / "bin" / "nova"

    @property
    def is_ready(self) -> bool:
        """Whether it was installed to the end, from today's requirements and by this Python."""
        try:
            return self._stamp.read_text() == self._fingerprint()
        except FileNotFoundError:
            return False

    def install(self) -> None:
        """Make it from nothing; what an interrupted install left behind goes away.

        :raises InstallError: that failed.
        """
        self._stamp.unlink(missing_ok=True)
        self._run(sys.executable, "-m", "venv", "--clear", str(self.path))
        pins = self.requirements.read_text().splitlines()
        if tools := [pin for pin in pins if pin.startswith(_BUILD_TOOLS)]:
            self._pip("install", *tools)
        self._pip("install", "--no-build-isolation", "--requirement", str(self.requirements))
        self._add_to_site("older_python.pth", _OLDER_PYTHON)
        self._stamp.write_text(self._fingerprint())

    @property
    def requirements(self) -> Path:
        """The file that lists its packages."""
        return _REQUIREMENTS / f"{self.name}.txt"

    @property
    def _stamp(self) -> Path:
        return self.path / ".installed"

    def _fingerprint(self) -> str:
        ingredients = (
            f"{self.requirements.read_text()}{_OLDER_PYTHON}{sys.base_prefix}{sys.version}"
        )
        return hashlib.sha256(ingredients.encode()).hexdigest()

    def _add_to_site(self, name: str, text: str) -> None:
        """Write a file into the directory of installed packages."""
        variables = {"base": str(self.path), "platbase": str(self.path)}
        Path(sysconfig.get_path("purelib", "venv", variables), name).write_text(text)

    def _pip(self, *arguments: str) -> None:
        # -I: without what PYTHONPATH or the user's own packages would add.
        self._run(str(self.python), "-I", "-m", "pip", "--no-input", *arguments)

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            last = "\n".join(done.stdout.splitlines()[-_LINES_OF_A_FAILURE:])
            raise InstallError(
                f"{self.name} cannot be installed: `{' '.join(command)}` ended with status "
                f"{done.returncode}. Its last lines:\n{last}"
            )


def default_directory() -> Path:
    """``clients`` beside the running Python's ``bin``, as ``.venv/clients``."""
    return Path(sys.prefix, "clients")


def install(directory: Path, say: Progress) -> dict[str, Environment]:
    """Make the environments that are missing, several at a time.

    :param say: is told, line by line, what is going on.
    :returns: all of them, by version.
    :raises InstallError: some could not be made; the others were.
    """
    environments = {version: Environment(version, directory) for version in VERSIONS}
    install_missing(environments.values(), directory, say)
    return environments


def install_missing(environments: Collection[Environment], directory: Path, say: Progress) -> None:
    """Make those of the environments that are missing, several at a time.

    :raises InstallError: some could not be made; the others were.
    """
    if not _missing(environments):
        return
    directory.mkdir(parents=True, exist_ok=True)
    with _only_one_at_work(directory):
        # Another process may have made them while we waited.
        _install_in_parallel(_missing(environments), say)


def _missing(environments: Iterable[Environment]) -> list[Environment]:
    return [each for each in environments if not each.is_ready]


def _install_in_parallel(environments: list[Environment], say: Progress) -> None:
    if not environments:
        return
    began = time.monotonic()
    failures = []
    with ThreadPoolExecutor(max_workers=len(environments)) as pool:
        futures = {pool.submit(each.install): each for each in environments}
        say(f"Installing {', '.join(each.name for each in environments)}")
        for future in as_completed(futures):
            error = future.exception()
            if error is None:
                seconds = time.monotonic() - began
                say(f"Installing {futures[future].name} ... ready in {seconds:.0f} s")
            elif isinstance(error, InstallError):
                failures.append(str(error))
            else:
                raise error
    if failures:
        raise InstallError("\n\n".join(failures))


@contextmanager
def _only_one_at_work(directory: Path) -> Iterator[None]:
    """Wait until no other process installs into the directory, and keep others out."""
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Install the old novaclients.")
    parser.add_argument(
        "directory",
        metavar="DIR",
        nargs="?",
        type=Path,
        default=default_directory(),
        help="where the environments go (default: %(default)s)",
    )
    directory = parser.parse_args().directory.absolute()
    try:
        environments = install(directory, lambda line: print(line, flush=True))
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    for each in environments.values():
        print(each.nova)
    return 0


if __name__ == "__main__":
    sys.exit(main())
