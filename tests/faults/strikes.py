# SPDX-License-Identifier: Apache-2.0
"""Ways for Ironic or Keystone to fail: rules for the proxy that stands before them.

Those that spoil an answer let the request through first, so that what it asks for is done.
"""

import gzip
import time
from collections.abc import Iterator

from functional.support import Answer, Cut, Forward, Pieces, Request, Rule

#: Seconds between two bytes; none of them is late by itself.
_DRIP_INTERVAL = 0.02


def reset(request: Request, forward: Forward) -> Answer:
    """Reset the connection before anything is done."""
    raise Cut(reset=True)


def close(request: Request, forward: Forward) -> Answer:
    """Close the connection when everything is done."""
    forward()
    raise Cut


def reset_amid(request: Request, forward: Forward) -> Pieces:
    """Reset the connection in the middle of the answer."""

    def pieces() -> Iterator[bytes]:
        yield _part(forward())
        raise Cut(reset=True)

    return Pieces(pieces())


def close_amid(request: Request, forward: Forward) -> Pieces:
    """Close the connection in the middle of the answer."""
    return Pieces([_part(forward())])


def late(seconds: float) -> Rule:
    """Answer when nobody waits any more."""

    def rule(request: Request, forward: Forward) -> Answer:
        answer = forward()
        time.sleep(seconds)
        return answer

    return rule


def drip(seconds: float) -> Rule:
    """Send the body byte by byte, for longer than anybody should wait."""

    def rule(request: Request, forward: Forward) -> Pieces:
        answer = forward()
        body = answer.body or b"{}"
        padding = b" " * int(seconds / _DRIP_INTERVAL)

        def pieces() -> Iterator[bytes]:
            yield _head(answer.status if answer.body else 200, len(padding + body))
            for byte in padding + body:
                yield bytes([byte])
                time.sleep(_DRIP_INTERVAL)

        return Pieces(pieces())

    return rule


def truncated(request: Request, forward: Forward) -> Answer:
    """Answer half of the JSON, as if that were all."""
    answer = forward()
    return _json(answer, answer.body[: len(answer.body) // 2] or b'{"')


def page(status: int) -> Rule:
    """Answer with a page of this status, and do nothing."""

    def rule(request: Request, forward: Forward) -> Answer:
        return Answer(status, b"<html><h1>It works!</h1></html>", {"Content-Type": "text/html"})

    return rule


def refusal(status: int, text: str = "no") -> Rule:
    """Answer with an error of Ironic's, and do nothing."""

    def rule(request: Request, forward: Forward) -> Answer:
        return Answer.ironic_error(status, text)

    return rule


def redirect(url: str) -> Rule:
    """Send the client to another server."""

    def rule(request: Request, forward: Forward) -> Answer:
        return Answer(307, b"", {"Location": url})

    return rule


def too_old(request: Request, forward: Forward) -> Answer:
    """Answer as an Ironic that does not know the version."""
    name = "X-OpenStack-Ironic-API-{}-Version"
    headers = {name.format("Minimum"): "1.1", name.format("Maximum"): "1.31"}
    answer = Answer.ironic_error(406, "Version 1.65 was requested but 1.31 is the newest")
    return answer._replace(headers={**answer.headers, **headers})


def zipped(request: Request, forward: Forward) -> Answer:
    """Answer compressed."""
    answer = forward()
    if not answer.body:
        return answer
    return _json(answer, gzip.compress(answer.body), {"Content-Encoding": "gzip"})


def falsely_zipped(request: Request, forward: Forward) -> Answer:
    """Answer as it is, and say that it were compressed."""
    answer = forward()
    return _json(answer, answer.body or b"{}", {"Content-Encoding": "gzip"})


def enormous(megabytes: int) -> Rule:
    """Answer with more than anybody should read."""

    def rule(request: Request, forward: Forward) -> Pieces:
        answer = forward()
        blanks = b" " * 2**20

        def pieces() -> Iterator[bytes]:
            yield _head(answer.status if answer.body else 200, megabytes * len(blanks))
            for _ in range(megabytes):
                yield blanks

        return Pieces(pieces())

    return rule


def bare(request: Request, forward: Forward) -> Answer:
    """Answer with an object that has nothing of what is expected in it."""
    return _json(forward(), b'{"name": null}')


def _json(answer: Answer, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    status = answer.status if answer.body else 200
    return Answer(
        status, body, {**answer.headers, "Content-Type": "application/json"} | (headers or {})
    )


def _part(answer: Answer) -> bytes:
    """Return a part of the response; none of one that is complete with its head."""
    if not answer.body:
        return b""
    return _head(answer.status, len(answer.body)) + answer.body[: len(answer.body) // 2]


def _head(status: int, length: int) -> bytes:
    lines = ["HTTP/1.1 {status} X", "Content-Type: application/json", "Content-Length: {length}"]
    return ("\r\n".join(lines) + "\r\n\r\n").format(status=status, length=length).encode()
