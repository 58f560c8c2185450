# SPDX-License-Identifier: Apache-2.0
"""Requests to both sides, and answers that can be compared."""

import http.client
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

#: Headers that must be the same on both sides, each line of them.
COMPARED = ("Content-Type", "OpenStack-API-Version", "X-OpenStack-Nova-API-Version", "Vary")

#: The value of a header that is not to be sent, although it is by default.
ABSENT = "(absent)"


@dataclass(frozen=True)
class Request:
    """A request; ``PROJECT`` and ``OTHER-PROJECT`` in the path stand for the ids."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None
    #: ``admin``, ``member``, or a token itself; empty: none.
    caller: str = "admin"


@dataclass(frozen=True)
class Answer:
    """What is compared of a response; ``URL`` stands for the side's own."""

    status: int
    #: Of :data:`COMPARED` those that are there, in this order, one entry for each line.
    headers: tuple[tuple[str, str], ...]
    body: str

    def replaced(self, old: str, new: str) -> "Answer":
        """Return the same answer with another text in its headers and body."""
        headers = tuple((name, value.replace(old, new)) for name, value in self.headers)
        return Answer(self.status, headers, self.body.replace(old, new))


@dataclass(frozen=True)
class Side:
    """A server, and what stands for what in requests to it and in its answers."""

    url: str
    tokens: Mapping[str, str]
    projects: Mapping[str, str]

    def ask(self, request: Request) -> Answer:
        """Send a request."""
        path = request.path
        for name, project_id in self.projects.items():
            path = path.replace(name, project_id)
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            # Not by request(): that would add headers of its own.
            connection.putrequest(request.method, path, skip_accept_encoding=True)
            for name, value in self._headers(request).items():
                connection.putheader(name, value.encode())
            connection.endheaders(_bytes(request.body))
            return self._answer(connection.getresponse())
        finally:
            connection.close()

    def _headers(self, request: Request) -> dict[str, str]:
        headers = dict(request.headers)
        if request.caller:
            headers["X-Auth-Token"] = self.tokens.get(request.caller, request.caller)
        if request.body is not None:
            headers.setdefault("Content-Type", "application/json")
            headers["Content-Length"] = str(len(_bytes(request.body) or b""))
        return {name: value for name, value in headers.items() if value != ABSENT}

    def _answer(self, response: http.client.HTTPResponse) -> Answer:
        lines = response.getheaders()
        headers = tuple(
            (name, value)
            for name in COMPARED
            for given, value in lines
            if given.lower() == name.lower()
        )
        answer = Answer(response.status, headers, response.read().decode())
        for name, text in {"URL": self.url, **self.projects}.items():
            answer = answer.replaced(text, name)
        return answer


class Sides:
    """Both sides."""

    def __init__(self, nova: Side, shim: Side, pool: ThreadPoolExecutor) -> None:
        self.nova = nova
        self.shim = shim
        self._pool = pool

    def ask(self, request: Request) -> tuple[Answer, Answer]:
        """Send a request to both at the same time; nova's answer comes first."""
        other = self._pool.submit(self.shim.ask, request)
        return self.nova.ask(request), other.result()


def _bytes(body: str | bytes | None) -> bytes | None:
    return body.encode() if isinstance(body, str) else body
