# SPDX-License-Identifier: Apache-2.0
"""The installer of the old clients, and what it has installed."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from . import environments as clients
from .cloud import succeed

LIST_PACKAGES = """
from importlib.metadata import distributions
for each in distributions():
    print(each.metadata["Name"], each.version)
"""


class Commands:
    """Stands in for the commands of the installer: notes them and fails where it is told to."""

    def __init__(self) -> None:
        self.run_for: list[str] = []
        self.fails: Callable[[list[str]], bool] = lambda command: False

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Do nothing, but for the directories of a new environment."""
        (name,) = set(re.findall(r"novaclient-[0-9.]+[0-9]", " ".join(command)))
        self.run_for.append(name)
        if "venv" in command:
            where = {"base": command[-1], "platbase": command[-1]}
            shutil.rmtree(command[-1], ignore_errors=True)
            Path(sysconfig.get_path("purelib", "venv", where)).mkdir(parents=True)
        status = 3 if self.fails(command) else 0
        output = "\n".join(f"line {number} of pip" for number in range(1, 101))
        return subprocess.CompletedProcess(command, status, stdout=output)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The installer's commands are not run."""
    commands = Commands()
    monkeypatch.setattr("subprocess.run", commands.run)
    return commands


def install(directory: Path) -> list[str]:
    """Install, and return the lines of progress."""
    lines: list[str] = []
    clients.install(directory, lines.append)
    return lines


def test_what_is_installed_stays(commands: Commands, tmp_path: Path) -> None:
    lines = install(tmp_path / "clients")
    assert set(commands.run_for) == {f"novaclient-{version}" for version in clients.VERSIONS}
    assert lines[0].startswith("Installing novaclient-2.18.1, novaclient-2.35.0")
    assert len(lines) == 1 + len(clients.VERSIONS)
    commands.run_for.clear()
    assert install(tmp_path / "clients") == []
    assert commands.run_for == []


def test_a_failure_is_told_and_tried_again(commands: Commands, tmp_path: Path) -> None:
    commands.fails = lambda command: "novaclient-3.4.0" in str(command) and "install" in command
    with pytest.raises(clients.InstallError) as failure:
        install(tmp_path)
    assert "novaclient-3.4.0 cannot be installed" in str(failure.value)
    assert "ended with status 3" in str(failure.value)
    assert str(failure.value).endswith("line 99 of pip\nline 100 of pip")
    assert "line 80 of pip" not in str(failure.value)

    commands.fails = lambda command: False
    commands.run_for.clear()
    install(tmp_path)
    assert set(commands.run_for) == {"novaclient-3.4.0"}


def test_an_interrupted_installation_is_done_again(commands: Commands, tmp_path: Path) -> None:
    environment = clients.Environment("7.1.2", tmp_path)
    environment.install()
    assert environment.is_ready

    def interrupt(command: list[str]) -> bool:
        raise KeyboardInterrupt

    commands.fails = interrupt
    with pytest.raises(KeyboardInterrupt):
        environment.install()
    assert not environment.is_ready


def test_new_requirements_are_installed(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements"
    shutil.copytree(Path(clients.__file__).parent / "requirements", requirements)
    monkeypatch.setattr(clients, "_REQUIREMENTS", requirements)
    install(tmp_path)
    commands.run_for.clear()
    with (requirements / "novaclient-2.35.0.txt").open("a") as changed:
        changed.write("one-more==1.0\n")
    install(tmp_path)
    assert set(commands.run_for) == {"novaclient-2.35.0"}


def test_as_a_program(
    commands: Commands,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["environments.py", str(tmp_path)])
    commands.fails = lambda command: "novaclient-7.1.2" in str(command)
    assert clients.main() == 1
    assert "novaclient-7.1.2 cannot be installed" in capsys.readouterr().err
    commands.fails = lambda command: False
    assert clients.main() == 0
    assert str(tmp_path / "novaclient-7.1.2" / "bin" / "nova") in capsys.readouterr().out


@pytest.mark.parametrize("version", clients.VERSIONS)
def test_the_packages_are_those_required(
    version: str, environments: Mapping[str, clients.Environment]
) -> None:
    file = Path(clients.__file__).parent / "requirements" / f"novaclient-{version}.txt"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    required = [Requirement(line) for line in lines]
    wanted = {
        (canonicalize_name(each.name), str(each.specifier).removeprefix("=="))
        for each in required
        if each.marker is None or each.marker.evaluate()
    }
    listed = succeed([str(environments[version].python), "-I", "-c", LIST_PACKAGES], {})
    pairs = (line.split() for line in listed.splitlines())
    found = {(canonicalize_name(name), number) for name, number in pairs}
    assert {each for each in found if each[0] != "pip"} == wanted
    assert ("python-novaclient", version) in wanted
