# SPDX-License-Identifier: Apache-2.0
"""What both servers are asked: the standard requests, or those of an access log. Reads only."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from bm_shim.callers import log
from bm_shim.compare.errors import CompareError

#: The last version with the API; the first one without it.
_LAST_VERSION = "2.35"
_FIRST_WITHOUT = "2.36"
_OLD_HEADER = "X-OpenStack-Nova-API-Version"
_NEW_HEADER = "OpenStack-API-Version"

_UNKNOWN_NODE = "00000000-0000-0000-0000-000000000000"

#: A prefix of the API at the end of an endpoint, with a project or without.
_PREFIX = re.compile(r"/(?:v1\.1|v2\.1|v2)(?:/[^/]+)?$")

#: What the shim serves of what a log may hold, from its prefix on.
_NODES = re.compile(
    r"/(?:v1\.1|v2\.1|v2)/(?:(?!extensions/)[^/?]+/)?os-baremetal-nodes(?:[/.?][^\s\"]*)?$"
)

#: A request line, as Nova, Apache, nginx, uWSGI and HAProxy write it.
_REQUEST_LINE = re.compile(r'"GET (/[^\s"]*)(?: HTTP/[0-9.]+)?"')
_MICROVERSION = re.compile(r"\bmicroversion: (\d+\.\d+)")

#: What Nova logs where no version was asked for.
_DEFAULT_VERSION = "2.1"


@dataclass(frozen=True, slots=True)
class Case:
    """A GET request: its path below the server's root, with the query."""

    path: str
    microversion: str | None = None
    with_token: bool = True

    @property
    def headers(self) -> Mapping[str, str]:
        """What it sends, but for the token."""
        if self.microversion is None:
            return {}
        name = _NEW_HEADER if " " in self.microversion else _OLD_HEADER
        return {name: self.microversion}

    @property
    def is_about_nodes(self) -> bool:
        """Whether it reads what the API is for, and not only says something about the API."""
        return self.with_token and _NODES.search(self.path) is not None

    def __str__(self) -> str:
        """Return it for people."""
        version = f" (version {self.microversion})" if self.microversion else ""
        return f"GET {self.path}{version}{'' if self.with_token else ' (no token)'}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is: its root, and the prefix that its endpoint names."""

    #: Scheme, host, port, and the path below which all others are.
    root: str
    prefix: str | None = None


def endpoint(url: str) -> Endpoint:
    """Read an endpoint as it stands in the catalogue, or without the prefix.

    :raises CompareError: it is none, or holds a password
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or "@" in parts.netloc:
        raise CompareError(
            "An endpoint is http:// or https:// with a host, and without a user, a query or a "
            "fragment: https://nova.example.org:8774/v2.1"
        )
    path = parts.path.rstrip("/")
    prefix = _PREFIX.search(path)
    root = f"{parts.scheme}://{parts.netloc}{path[: prefix.start()] if prefix else path}"
    return Endpoint(root, prefix.group() if prefix else None)


def common_prefix(old: Endpoint, new: Endpoint) -> str:
    """Return the prefix to ask below; ``/v2.1`` where neither endpoint names one.

    :raises CompareError: they name different ones
    """
    if old.prefix and new.prefix and old.prefix != new.prefix:
        raise CompareError(
            f"The endpoints differ, {old.prefix} and {new.prefix}, and so would all answers."
        )
    return old.prefix or new.prefix or "/v2.1"


def standard(prefix: str) -> list[Case]:
    """Return the requests that any client may begin with: versions, extensions, list."""
    nodes = f"{prefix}/os-baremetal-nodes"
    version = f"/{prefix.split('/')[1]}/"
    cases = [
        Case("/", with_token=False),
        Case(version, with_token=False),
        Case(f"{prefix}/extensions"),
        Case(f"{prefix}/extensions/os-baremetal-nodes"),
        Case(nodes),
        Case(nodes, with_token=False),
        Case(f"{nodes}/{_UNKNOWN_NODE}"),
    ]
    if version == "/v2.1/":
        cases += [Case(nodes, _LAST_VERSION), Case(nodes, _FIRST_WITHOUT)]
    return cases


def shows(prefix: str, node_ids: Iterable[object]) -> list[Case]:
    """Return requests for single nodes."""
    return [Case(f"{prefix}/os-baremetal-nodes/{quote(str(each), safe='')}") for each in node_ids]


def of_log(lines: Iterable[bytes], limit: int) -> list[Case]:
    """Return the reads of bare metal nodes in a log, each once, in the order of the log.

    :param lines: of the shim's own log, or of any that quotes request lines
    :param limit: how many at most
    """
    cases: dict[Case, None] = {}
    for line in lines:
        for case in _cases_of(line.decode(errors="replace")):
            cases[case] = None
        if len(cases) >= limit:
            break
    return list(cases)


def _cases_of(line: str) -> Iterator[Case]:
    call = log.parse(line)
    if call is not None:
        if call.method == "GET":
            # WSGI has decoded it, as Latin-1.
            path = quote(call.path, safe="/", encoding="latin-1", errors="replace")
            yield from _case(path, call.microversion)
    elif request := _REQUEST_LINE.search(line):
        version = _MICROVERSION.search(line)
        asked = version[1] if version and version[1] != _DEFAULT_VERSION else None
        yield from _case(request[1], asked)


def _case(path: str, microversion: str | None) -> Iterator[Case]:
    if nodes := _NODES.search(path):
        yield Case(nodes.group(), microversion)
