# SPDX-License-Identifier: Apache-2.0
"""What ``bm-shim callers`` does: read, count, show."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import cast

import click

from bm_shim.callers import log, page, report, text
from bm_shim.callers.tally import Tally


class CallersError(Exception):
    """A log cannot be read, or the page not be written; the text says why."""


def run(
    logs: Sequence[str],
    *,
    since: datetime | None,
    with_aside: bool,
    as_json: bool,
    html: Path | None,
) -> None:
    """Count the calls of all logs and print the report.

    :param logs: names of files; ``-`` is standard input
    :param since: calls before it are left out
    :param with_aside: as for :func:`report.make`
    :param as_json: print JSON, not tables
    :param html: where to write the page, too
    :raises CallersError: nothing was printed
    """
    tally = Tally()
    for name in logs:
        _read(name, tally, since)
    found = report.make(tally, with_aside=with_aside)
    if html is not None:
        _write(html, page.render(found))
    click.echo(json.dumps(found.as_json(), indent=2) if as_json else text.render(found))


def _read(name: str, tally: Tally, since: datetime | None) -> None:
    try:
        if name == "-":
            _count(cast(BufferedReader, sys.stdin.buffer), tally, since)
        else:
            with open(name, "rb") as stream:
                _count(stream, tally, since)
    except log.UNREADABLE as error:
        raise CallersError(f"{name}: {error}") from error


def _count(stream: BufferedReader, tally: Tally, since: datetime | None) -> None:
    for call in log.read(stream, tally.add_unreadable):
        if since is None or call.time >= since:
            tally.add(call)


def _write(file: Path, html: str) -> None:
    try:
        # What no encoding has, a caller may still have sent.
        file.write_text(html, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CallersError(f"{file}: {error.strerror}") from error
