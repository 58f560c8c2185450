# SPDX-License-Identifier: Apache-2.0
"""Calls, read from the access logs that :mod:`bm_shim.access_log` writes."""

import json
import re
import zlib
from bz2 import BZ2File
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from gzip import GzipFile
from io import BufferedIOBase, BufferedReader
from lzma import LZMAError, LZMAFile

from bm_shim import access_log

#: The longest line that is looked at, in bytes: servers cut off what would make a longer one.
_LONGEST_LINE = 1 << 18

#: With what compressed logs begin.
_COMPRESSED: dict[bytes, Callable[[BufferedReader], BufferedIOBase]] = {
    b"\x1f\x8b": lambda stream: GzipFile(fileobj=stream),
    b"BZh": BZ2File,
    b"\xfd7zXZ": LZMAFile,
}
_ZSTANDARD = b"\x28\xb5\x2f\xfd"

#: What is raised for a log that cannot be read to its end.
UNREADABLE = (OSError, EOFError, LZMAError, zlib.error)

#: Every access line has it, in whatever the log wraps it.
_MARK = b"client="
_LOGGER = access_log.__name__.encode()

#: Where a line begins, behind whatever the log puts before it. The first place counts: what a
#: caller can choose stands behind it, in quotes. What is before it is looked at second: Python is
#: much faster at finding a fixed beginning.
_BEGIN = re.compile(r"time=(?<!\Stime=)\S+ client=")
_VALUE = r'(?:[^\s"]+|"(?:[^"\\]|\\.)*")'
#: What there is of it, in the order in which it is written; later versions may add to its end.
_NAMES = (
    "time", "client", "method", "path", "operation", "status", "bytes", "seconds", "user",
    "user_name", "project", "project_name", "microversion", "user_agent",
)  # fmt: skip
_LINE = re.compile(
    " ".join(rf"{name}=(?P<{name}>{_VALUE})" for name in _NAMES) + rf"(?: \w+={_VALUE})*"
)

#: Under which key JSON logs have the text: oslo.log and Fluentd, Docker, journald.
_TEXT_KEYS = ("message", "log", "MESSAGE")


@dataclass(frozen=True, slots=True)
class Call:
    """A request, as an access line tells of it; None where it does not know."""

    time: datetime
    address: str | None
    user: str | None
    user_name: str | None
    project: str | None
    project_name: str | None
    user_agent: str | None
    method: str
    path: str
    #: The name of the policy rule.
    operation: str | None
    status: int
    microversion: str | None


def read(stream: BufferedReader, unreadable: Callable[[], None] = lambda: None) -> Iterator[Call]:
    """Yield the calls of a log, plain or compressed, without keeping it in memory.

    Lines of other loggers are passed over.

    :param unreadable: called for each access line that is cut off or garbled
    :raises OSError, EOFError, LZMAError, zlib.error: the log cannot be read to its end
    """
    for line in lines(stream):
        if _MARK not in line:
            continue
        call = parse(line.decode(errors="replace"))
        if call is not None:
            yield call
        elif _LOGGER in line:
            unreadable()


def parse(line: str) -> Call | None:
    """Return the call that a line of a log tells of, plain or as JSON; None if of none."""
    try:
        fields = _fields(_text_of(line).rstrip())
        return Call(
            time=datetime.fromisoformat(fields["time"] or "").astimezone(UTC),
            address=fields["client"],
            user=fields["user"],
            user_name=fields["user_name"],
            project=fields["project"],
            project_name=fields["project_name"],
            user_agent=fields["user_agent"],
            method=fields["method"] or "",
            path=fields["path"] or "",
            operation=fields["operation"],
            status=int(fields["status"] or 0),
            microversion=fields["microversion"],
        )
    except (KeyError, ValueError, OverflowError):
        return None


def lines(stream: BufferedReader) -> Iterator[bytes]:
    """Yield the lines of a log, plain or compressed, without keeping it in memory.

    But for those that are too long to be of an access log.

    :raises OSError, EOFError, LZMAError, zlib.error: the log cannot be read to its end
    """
    text = _uncompressed(stream)
    complete = True
    while line := text.readline(_LONGEST_LINE):
        began, complete = complete, line.endswith(b"\n")
        if began and (complete or len(line) < _LONGEST_LINE):
            yield line


def _uncompressed(stream: BufferedReader) -> BufferedIOBase:
    beginning = stream.peek(6)
    if beginning.startswith(_ZSTANDARD):
        raise OSError("compressed by Zstandard; give what zstdcat makes of it")
    for magic, uncompress in _COMPRESSED.items():
        if beginning.startswith(magic):
            return uncompress(stream)
    return stream


def _text_of(line: str) -> str:
    """Return the text in a line of JSON; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    texts = (entry.get(key) for key in _TEXT_KEYS)
    return next((text for text in texts if isinstance(text, str)), "")


def _fields(text: str) -> dict[str, str | None]:
    begin = _BEGIN.search(text)
    found = begin and _LINE.fullmatch(text, begin.start())
    return {n: _value_of(v) for n, v in found.groupdict().items()} if found else {}


def _value_of(written: str) -> str | None:
    if written[0] == '"':
        return _unquoted(written)
    return None if written == "-" else written


# Programs and names come again and again.
@lru_cache(2_000)
def _unquoted(written: str) -> str:
    return str(json.loads(written))
