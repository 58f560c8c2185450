# SPDX-License-Identifier: Apache-2.0
"""As much of systemd as the documentation needs, for a machine that is a directory.

    python systemd.py DIRECTORY enable --now bm-shim
    python systemd.py DIRECTORY start bm-shim

Units are enabled by the real ``systemctl``, which needs no running systemd for that. A service is
started here, as its unit says: as its user if we may change to it, with its runtime directory and
an environment that has nothing else, until it says that it is ready. How much of the machine the
service sees is not limited.
"""

import os
import shlex
import socket
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

#: What units name, and what is below the directory here.
ELSEWHERE = ("/etc/", "/opt/", "/run/")
#: systemd's own default.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
#: Seconds; systemd's own default.
START_TIMEOUT = 90

Settings = dict[str, list[str]]


class User(NamedTuple):
    """Whom a service runs as."""

    name: str
    id: int
    group: int
    home: str


def main(directory: str, verb: str, *arguments: str) -> None:
    """Do what ``systemctl`` does."""
    root = Path(directory)
    unit = arguments[-1]
    match verb, *arguments[:-1]:
        case ["enable", "--now"]:
            subprocess.run(["/usr/bin/systemctl", f"--root={root}", "enable", unit], check=True)
            start(root, unit)
        case ["start"]:
            start(root, unit)
        case _:
            sys.exit(f"systemctl {verb}: not known here")


def start(root: Path, unit: str) -> None:
    """Start a service and wait until it is ready.

    Its process id is in ``UNIT.pid``, what it prints in ``var/log/UNIT``.
    """
    settings = service_settings(root, unit)
    assert settings["Type"] == ["notify"]
    user = _user(root, settings)
    change = os.geteuid() == 0 and _is_for_all(Path(sys.base_prefix))
    for name in settings["RuntimeDirectory"]:
        directory = root / "run" / name
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(int(settings["RuntimeDirectoryMode"][-1], 8))
        if change:
            os.chown(directory, user.id, user.group)
    notify, log = root / "run/notify", root / "var/log" / unit
    notify.unlink(missing_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(log, "ab") as out:
        ready.bind(str(notify))
        notify.chmod(0o777)
        process = subprocess.Popen(
            shlex.split(settings["ExecStart"][-1]),
            cwd="/",
            env=_environment(user, settings) | {"NOTIFY_SOCKET": str(notify)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            umask=int(settings["UMask"][-1], 8),
            user=user.id if change else None,
            group=user.group if change else None,
            extra_groups=[] if change else None,
        )
        (root / f"{unit}.pid").write_text(str(process.pid))
        _wait(ready, process)


def service_settings(root: Path, unit: str) -> Settings:
    """Return what is under ``[Service]`` in a unit and its drop-ins, in order."""
    file = root / f"etc/systemd/system/{unit}.service"
    settings: Settings = defaultdict(list)
    for part in (file, *sorted(Path(f"{file}.d").glob("*.conf"))):
        section = ""
        for line in part.read_text().splitlines():
            if line.startswith("["):
                section = line
            elif section == "[Service]" and line and not line.startswith(("#", ";")):
                name, _, value = line.partition("=")
                if value:
                    settings[name].append(_below(root, value))
                else:
                    settings[name].clear()
    return settings


def _below(root: Path, value: str) -> str:
    for path in ELSEWHERE:
        value = value.replace(path, f"{root}{path}")
    return value


def _environment(user: User, settings: Settings) -> dict[str, str]:
    own = {"PATH": PATH, "HOME": user.home, "USER": user.name, "LOGNAME": user.name}
    assigned = (word for value in settings["Environment"] for word in shlex.split(value))
    return own | dict(word.split("=", 1) for word in assigned)


def _user(root: Path, settings: Settings) -> User:
    (name,) = settings["User"]
    assert settings["Group"] == [name]
    lines = (root / "etc/passwd").read_text().splitlines()
    (entry,) = (line.split(":") for line in lines if line.startswith(f"{name}:"))
    return User(name, int(entry[2]), int(entry[3]), entry[5])


def _is_for_all(python: Path) -> bool:
    """Whether others than root can use a Python; not if it lives in root's home."""
    return all(path.stat().st_mode & 0o001 for path in (python, *python.parents))


def _wait(ready: socket.socket, process: subprocess.Popen[bytes]) -> None:
    ready.settimeout(0.2)
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        try:
            if b"READY=1" in ready.recv(4096).split(b"\n"):
                return
        except TimeoutError:
            if process.poll() is not None:
                sys.exit(f"ended with {process.returncode}")
    process.kill()
    sys.exit("not ready in time")


if __name__ == "__main__":
    main(*sys.argv[1:])
