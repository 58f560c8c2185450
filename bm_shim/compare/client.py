# SPDX-License-Identifier: Apache-2.0
"""One of the two servers, asked by GET."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import requests
from urllib3.exceptions import HTTPError, TimeoutError

import bm_shim
from bm_shim.compare.cases import Case
from bm_shim.compare.errors import NoAnswer

#: Bytes of the largest answer that is looked at.
_LARGEST = 64 << 20
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. Where it named its own root, ``URL`` stands for it."""

    status: int
    #: By lower-case name.
    headers: Mapping[str, str]
    body: str
    seconds: float


class Server:
    """A server; a context manager, since it keeps connections.

    :param root: scheme, host, port, and the path below which all others are
    :param token: gives the caller's token; None: there is none
    :param verify: whether to check its certificate, or the file to check it with
    """

    def __init__(
        self, root: str, *, token: Callable[[], str | None], verify: bool | str, timeout: float
    ) -> None:
        self._root = root
        self._token = token
        self._timeout = timeout
        self._verify = verify
        self._session = requests.Session()
        # Else a .netrc would add credentials.
        self._session.auth = lambda request: request
        self._session.headers.update(
            {"Accept": "application/json", "User-Agent": f"bm-shim-compare/{bm_shim.__version__}"}
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close its connections."""
        self._session.close()

    def ask(self, case: Case) -> Answer:
        """Return what it answers.

        :raises NoAnswer: nothing, or not in time
        """
        headers = dict(case.headers)
        token = self._token() if case.with_token else None
        if token is not None:
            headers["X-Auth-Token"] = token
        began = time.monotonic()
        try:
            # A redirect is an answer to compare, and the token is for this server only.
            with self._session.get(
                self._root + case.path,
                headers=headers,
                timeout=self._timeout,
                # Not of the session, over which requests puts REQUESTS_CA_BUNDLE.
                verify=self._verify,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(response, began + self._timeout)
        except (OSError, UnicodeError, HTTPError) as error:
            # Those of requests are OSErrors, too.
            raise NoAnswer(f"{self._root} does not answer: {_reason(error)}") from error
        return Answer(
            status=response.status_code,
            headers={n.lower(): self._anonymous(v) for n, v in response.headers.items()},
            body=self._anonymous(body),
            seconds=time.monotonic() - began,
        )

    def _read(self, response: requests.Response, deadline: float) -> str:
        body = bytearray()
        # Not iter_content(), which waits until a chunk is full.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if time.monotonic() > deadline:
                raise NoAnswer(f"{self._root} was still answering after {self._timeout:g} s.")
            if len(body) > _LARGEST:
                raise NoAnswer(f"{self._root} answers more than {_LARGEST >> 20} MiB.")
        return body.decode(errors="replace")

    def _anonymous(self, text: str) -> str:
        return text.replace(self._root, "URL")


def _reason(error: Exception) -> str:
    """Return what went wrong, without the object addresses and paths of the libraries."""
    if isinstance(error, (requests.Timeout, TimeoutError)):
        return "it took too long"
    if isinstance(error, requests.exceptions.SSLError):
        return f"its certificate is not accepted ({error})"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, (requests.RequestException, HTTPError)):
        return type(error).__name__
    # A file with certificates that is not there, a header of a log that cannot be sent.
    return str(error)
