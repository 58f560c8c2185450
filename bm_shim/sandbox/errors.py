# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in a sandbox, in words for the person who started it."""

from collections.abc import Iterable


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the text says why and is fit to be shown."""


class Cancelled(SandboxError):
    """A part was stopped while it was being started."""


class PartFailed(SandboxError):
    """A part of the sandbox did not start.

    :param part: its name, as shown: ``Keystone``.
    :param reason: what happened: ``its process ended with status 1``.
    :param log: the last lines of its log, passwords already taken out.
    """

    def __init__(self, part: str, reason: str, log: Iterable[str] = ()) -> None:
        self.part = part
        self.reason = reason
        self.log = list(log)
        text = f"{part} did not start: {reason}."
        if self.log:
            text += "\nThe end of its log:\n" + "\n".join(f"  {line}" for line in self.log)
        super().__init__(text)
