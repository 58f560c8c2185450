# SPDX-License-Identifier: Apache-2.0
"""When the sandbox command has to end, and how it learns of it."""

import os
import signal
from types import FrameType

from bm_shim.sandbox.launcher import set_parent_death_signal

# Told apart from SIGTERM, because it may be a false alarm; see `_watch_parent`.
_PARENT_DEATH = signal.SIGUSR1


class Interrupted(BaseException):
    """The command was asked to end. Not an Exception: nothing may take it for a mere error.

    :param signal: what asked; SIGTERM also for the death of the parent.
    """

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.signal = number


def watch() -> None:
    """From now on raise :class:`Interrupted`, once, in the main thread when it is time to end.

    That is at SIGINT, SIGTERM and SIGHUP, and when the parent ends, unless we were detached
    from it on purpose: by ``nohup`` (SIGHUP is ignored) or ``setsid`` (we lead a session).
    """
    detached = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN or os.getsid(0) == os.getpid()
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)
    if not detached:
        _watch_parent()


def ignore() -> None:
    """Let no signal interrupt the cleaning up, which takes a bounded time."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, _PARENT_DEATH):
        signal.signal(number, signal.SIG_IGN)


def _watch_parent() -> None:
    parent = os.getppid()

    def on_parent_death(number: int, frame: FrameType | None) -> None:
        # The kernel tells also when just that thread of the parent ended which started us.
        if os.getppid() != parent:
            _interrupt(signal.SIGTERM, frame)

    signal.signal(_PARENT_DEATH, on_parent_death)
    set_parent_death_signal(_PARENT_DEATH)
    on_parent_death(_PARENT_DEATH, None)  # it may have ended before the kernel knew


def _interrupt(number: int, frame: FrameType | None) -> None:
    ignore()
    raise Interrupted(signal.Signals(number))
