# SPDX-License-Identifier: Apache-2.0
"""What no answer of Ironic or Keystone may be: endless, enormous, or a way to somebody else.

requests and keystoneauth give each part of a body a timeout, and the whole of it none. They follow
a redirect wherever it leads, and take token, body and power password along.
"""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from keystoneauth1 import exceptions as kexc
from urllib3.exceptions import DecodeError, ReadTimeoutError

#: Bytes of a body, uncompressed. A page of 1,000 whole nodes has some 3 MiB.
MAX_BODY = 128 * 2**20

#: Bytes that are read at a time, if so many have come.
_PIECE = 2**16


class UnusableAnswer(kexc.ClientException):
    """A body that is too large, or not encoded as its head says."""


class RedirectElsewhere(kexc.ClientException):
    """A redirect to another host, or away from TLS."""


def set_bounds(session: requests.Session) -> None:
    """Let a session refuse such answers, with a timeout or with the errors above."""
    session.hooks["response"].append(_check)


def _check(response: requests.Response, *, timeout: Any = None, **kwargs: Any) -> None:
    """Look at the head of a response, and bound its body, before anybody reads that."""
    if _leads_elsewhere(response):
        response.close()
        raise RedirectElsewhere(f"{response.url} redirects to {response.headers['Location']}")
    if _wants_a_token_for_nothing(response):
        raise kexc.DiscoveryFailure(f"{response.url} cannot be read without a token")
    response.raw = _Body(response.raw, response.url, timeout or float("inf"))


def _leads_elsewhere(response: requests.Response) -> bool:
    if not 300 <= response.status_code < 400:
        return False
    here = urlsplit(response.url)
    there = urlsplit(urljoin(response.url, response.headers.get("Location", "")))
    return there.hostname != here.hostname or here.scheme == "https" != there.scheme


def _wants_a_token_for_nothing(response: requests.Response) -> bool:
    """Whether this is a 401 to the question which versions there are.

    keystoneauth asks it again with a token; while it signs in, it waits for itself, for ever.
    """
    sent = response.request
    return (
        response.status_code == 401
        and sent.method == "GET"
        and not any(name in sent.headers for name in ("X-Auth-Token", "Authorization"))
    )


class _Body:
    """The raw body of a response, with an end."""

    def __init__(self, raw: Any, url: str, timeout: float) -> None:
        self._raw = raw
        self._url = url
        self._timeout = timeout

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """Give the body in pieces, whatever amount is asked for.

        :raises requests.ReadTimeout: the next piece, or all of them together, took longer than
            the timeout
        :raises UnusableAnswer: it is too large or cannot be decoded
        """
        try:
            yield from self._pieces(decode_content)
        except ReadTimeoutError as error:
            raise requests.ReadTimeout(str(error)) from error
        except DecodeError as error:
            raise UnusableAnswer(f"{self._url}: {error}") from error
        finally:
            # What is left of the body must not be taken for the next answer.
            self._raw.close()

    def _pieces(self, decode_content: bool | None) -> Iterator[bytes]:
        # Too much of it need not be read when it is announced.
        _check_size(self._raw.length_remaining or 0, self._url)
        deadline = time.monotonic() + self._timeout
        size = 0
        # Not urllib3's own stream(), which waits until the amount is there.
        while piece := self._raw.read1(_PIECE, decode_content=decode_content):
            size += len(piece)
            _check_size(size, self._url)
            if time.monotonic() > deadline:
                raise requests.ReadTimeout(f"{self._url} takes too long to answer")
            yield piece


def _check_size(size: int, url: str) -> None:
    if size > MAX_BODY:
        raise UnusableAnswer(f"{url} answers with more than {MAX_BODY} bytes")
