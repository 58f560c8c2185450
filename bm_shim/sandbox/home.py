# SPDX-License-Identifier: Apache-2.0
"""The private directory of a sandbox, and what its parts share."""

import fcntl
import json
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bm_shim.sandbox.errors import Cancelled, SandboxError

_STATE_FILE = "sandbox.json"
# Held by the sandbox itself.
_LOCK_FILE = "sandbox.lock"
# Held by the sandbox and by each of its parts, so until the last of them is gone: when a
# sandbox is killed, its parts go by themselves, but not at once.
_PARTS_LOCK_FILE = "parts.lock"
_PARTS_PATIENCE = 20.0
# Characters with a meaning in SQLite URLs, oslo.config values or lists of files.
_UNFIT_FOR_PATHS = frozenset("?%$#;\r\n")


class Home:
    """The directory that holds configuration, databases, logs, pid files and passwords.

    :param state_dir: an empty or new directory, or one that a sandbox has left, which then goes
        on with the data in it. None: a temporary one, removed by :meth:`close`.
    :raises SandboxError: the directory cannot be used, or another sandbox uses it.
    """

    def __init__(self, state_dir: Path | None) -> None:
        self._temporary = state_dir is None
        #: Set when the sandbox goes down: nothing may be started any more.
        self.closing = threading.Event()
        try:
            self.path = _create(state_dir)
            with ExitStack() as locks:
                _lock(self.path / _LOCK_FILE, locks)
                #: Every part must inherit it.
                self.parts_lock_descriptor = _lock(
                    self.path / _PARTS_LOCK_FILE, locks, patience=_PARTS_PATIENCE
                )
                self._state = self._load()
                self._locks = locks.pop_all()
        except OSError as error:
            raise SandboxError(
                f"The state directory {state_dir or tempfile.gettempdir()} cannot be used: "
                f"{error.strerror or error}."
            ) from error

    def password(self, user: str) -> str:
        """Return the user's password; made up at the first call, then kept with the state."""
        passwords: dict[str, str] = self._state["passwords"]
        if user not in passwords:
            # IPMI has room for 20 characters.
            passwords[user] = secrets.token_hex(10)
            self._save()
        return passwords[user]

    def last_port(self, part: str) -> int:
        """Return the port that the part had when the state was last in use, or 0."""
        return int(self._state["ports"].get(part, 0))

    def keep_port(self, part: str, port: int) -> None:
        """Remember a part's port: with it, settings that the user pasted stay valid."""
        self._state["ports"][part] = port
        self._save()

    def redact(self, text: str) -> str:
        """Take every password of the sandbox out of a text."""
        for password in self._state["passwords"].values():
            text = text.replace(password, "***")
        return text

    def write_config(self, name: str, options: Mapping[str, Mapping[str, object]]) -> Path:
        """Write an oslo.config file, readable for its owner only.

        :param options: group, option, value; options whose value is None are left out.
        """
        lines = []
        for group, values in options.items():
            lines.append(f"[{group}]")
            for option, value in values.items():
                if value is not None:
                    text = str(value).lower() if isinstance(value, bool) else str(value)
                    lines.append(f"{option} = {text.replace('$', '$$')}")
        return self.write(name, "\n".join(lines) + "\n")

    def write(self, name: str, text: str) -> Path:
        """Write a file, readable for its owner only, all of it or nothing."""
        path = self.path / name
        unfinished = path.with_name(f"{path.name}.new")
        with open(unfinished, "w", opener=_open_private) as file:
            file.write(text)
        unfinished.replace(path)
        return path

    def subdirectory(self, name: str) -> Path:
        """Return a directory in here, made if needed."""
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def check_open(self) -> None:
        """Raise :class:`Cancelled` when the sandbox is going down."""
        if self.closing.is_set():
            raise Cancelled("The sandbox is being stopped.")

    def close(self) -> None:
        """Let go of the directory; remove it if it is a temporary one."""
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)
        self._locks.close()

    def _load(self) -> dict[str, Any]:
        try:
            state = json.loads((self.path / _STATE_FILE).read_text())
            return {"passwords": dict(state["passwords"]), "ports": dict(state["ports"])}
        except FileNotFoundError:
            return {"passwords": {}, "ports": {}}
        except (ValueError, KeyError, TypeError) as error:
            raise SandboxError(
                f"{self.path / _STATE_FILE} is damaged; start with another state directory."
            ) from error

    def _save(self) -> None:
        self.write(_STATE_FILE, json.dumps(self._state, indent=1))


def _create(state_dir: Path | None) -> Path:
    if state_dir is None:
        return Path(tempfile.mkdtemp(prefix="bm-shim-sandbox-")).resolve()
    path = state_dir.expanduser().resolve()
    if _UNFIT_FOR_PATHS.intersection(str(path)):
        raise SandboxError(f"The state directory's path {str(path)!r} has one of ? % $ # ; in it.")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    foreign = any(path.iterdir()) and not (path / _LOCK_FILE).is_file()
    if foreign:
        raise SandboxError(
            f"The state directory {path} is neither empty nor the state of a sandbox."
        )
    path.chmod(0o700)
    return path


def _lock(path: Path, locks: ExitStack, *, patience: float = 0) -> int:
    """Open and lock a file; return its descriptor, which ``locks`` will close.

    :param patience: seconds to wait for another holder.
    """
    descriptor = _open_private(str(path), os.O_RDWR | os.O_CREAT)
    locks.callback(os.close, descriptor)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise SandboxError(
                    f"The state directory {path.parent} is in use by another sandbox."
                ) from None
            time.sleep(0.1)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
