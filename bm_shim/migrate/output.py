# SPDX-License-Identifier: Apache-2.0
"""Prints what a run has to say. That nobody can read it does not end the run.

A terminal may go away, a disk may fill up under a log, a pager may be left, and a text may have
characters that the terminal does not know.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import click


def say(text: str) -> bool:
    """Print a result, on stdout.

    :returns: whether that could be done
    """
    try:
        click.echo(_encodable(text, sys.stdout))
    except OSError as error:
        _give_up(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            # Who left the pager knows.
            warn(f"The results cannot be printed: {error.strerror}")
        return False
    return True


def tell(text: str) -> None:
    """Print what is no result, on stderr."""
    with lenient(sys.stderr):
        click.echo(text, err=True)


def warn(text: str) -> None:
    """Print a warning, on stderr."""
    tell(f"Warning: {text}")


def warn_from_handler(text: str) -> None:
    """Do the same in a signal handler, where stderr may be in the middle of something."""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"Warning: {text}\n".encode())


@contextmanager
def lenient(stream: TextIO) -> Iterator[None]:
    """Print to a stream in the block; if that fails, the stream is of no use from then on."""
    try:
        yield
    except OSError:
        _give_up(stream)


def _give_up(stream: TextIO) -> None:
    """Let a stream lead nowhere.

    It is not closed: what is left in its buffer would fail once more, and be the exit status.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _encodable(text: str, stream: TextIO) -> str:
    r"""Return a text with what the stream cannot print in the form ``\u00e9``."""
    encoding = stream.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)
