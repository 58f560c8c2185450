# SPDX-License-Identifier: Apache-2.0
"""Becomes another program that ends when the process that started it ends.

Run as a script, never imported by a server: ``python -I -S launcher.py PARENT COMMAND...``.
The work is done here, in a fresh process, and not in ``Popen(preexec_fn=...)``, because
running Python between fork and exec may deadlock in a program that has threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def set_parent_death_signal(number: int) -> None:
    """Ask the kernel to send this process a signal when its parent ends (Linux; else nothing).

    The kernel means the parent's *thread*: the signal comes also when only the thread that
    started this process ends. The setting survives exec, not fork.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def main(arguments: list[str]) -> None:
    """Arm the parent death signal and exec.

    :param arguments: the parent's process id, then the command.
    """
    parent, command = int(arguments[0]), arguments[1:]
    # A server that inherited an ignored or blocked SIGTERM could not be stopped politely.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    set_parent_death_signal(signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the signal was armed
        sys.exit(f"{command[0]}: not started, the process that asked for it is gone")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
