# SPDX-License-Identifier: Apache-2.0
"""Compute API microversions, on ``/v2.1`` only.

The API that this service keeps alive ends at 2.35: Nova answers 404 from 2.36 on. So that is the
maximum advertised, which makes clients that negotiate work unaided.
"""

import re
from http import HTTPStatus

from flask import Response, request

from bm_shim import errors
from bm_shim.api import prefixes

MINIMUM = (2, 1)
MAXIMUM = (2, 35)
#: Nova's range goes on where the bare metal API is gone: such a version exists, the API does not.
_LAST_OF_NOVA = (2, 104)

_LEGACY_HEADER = "X-OpenStack-Nova-API-Version"
_HEADER = "OpenStack-API-Version"
_FORMAT = re.compile(r"([1-9][0-9]{0,99})\.(0|[1-9][0-9]{0,99})")


def text(version: tuple[int, int]) -> str:
    """Return a version as headers and documents have it: ``2.35``."""
    return f"{version[0]}.{version[1]}"


def check() -> None:
    """Refuse a request for a version that Nova does not have.

    :raises errors.BadRequest: the header is malformed
    :raises errors.NotAcceptable: a version outside Nova's range
    """
    if not _applies():
        return
    asked = _asked()
    match = _FORMAT.fullmatch(asked)
    if match is None:
        raise errors.BadRequest(
            f"API Version String {asked} is of invalid format. Must be of format "
            "MajorNum.MinorNum."
        )
    if not MINIMUM <= _numbers(match) <= _LAST_OF_NOVA:
        raise _not_supported()


def check_reach() -> None:
    """Refuse a version of Nova's that has no bare metal API any more.

    :raises errors.NotFound: as if there were no such path
    """
    if requested() > MAXIMUM:
        raise errors.NotFound


def check_offered() -> None:
    """Refuse a version of Nova's beyond those that this service says it has.

    :raises errors.NotAcceptable: as Nova does beyond its own
    """
    if requested() > MAXIMUM:
        raise _not_supported()


def requested() -> tuple[int, int]:
    """Return the version that a request is for; that of the oldest where there are none."""
    match = _FORMAT.fullmatch(_asked()) if _applies() else None
    return MINIMUM if match is None else _numbers(match)


def add_headers(response: Response) -> Response:
    """Say which version the answer is of, as Nova does on success and on faults.

    Not where it never looked at the version: at a bad token, and at an unknown path.
    """
    looked_at = request.url_rule is not None and response.status_code != HTTPStatus.UNAUTHORIZED
    if _applies() and looked_at and _FORMAT.fullmatch(_asked()):
        response.headers[_HEADER] = f"compute {_asked()}"
        response.headers[_LEGACY_HEADER] = _asked()
        response.headers.add("Vary", _HEADER)
        response.headers.add("Vary", _LEGACY_HEADER)
    return response


def _not_supported() -> errors.NotAcceptable:
    return errors.NotAcceptable(
        f"Version {_asked()} is not supported by the API. Minimum is {text(MINIMUM)} and maximum "
        f"is {text(MAXIMUM)}."
    )


def _applies() -> bool:
    return prefixes.prefix_of(request.environ) == prefixes.NEW


def _numbers(match: re.Match[str]) -> tuple[int, int]:
    return int(match[1]), int(match[2])


def _asked() -> str:
    """Return what the request asks for; the newer header wins, if it speaks to this service.

    Either may hold several values, and comma-separated ones count as several lines: the last one
    wins.
    """
    asked = request.headers.get(_LEGACY_HEADER, text(MINIMUM)).rpartition(",")[2].strip()
    for value in request.headers.get(_HEADER, "").split(","):
        service, *version = value.split(None, 1) or [""]
        if service.lower() == "compute" and version:
            asked = version[0].strip()
    return text(MAXIMUM) if asked == "latest" else asked
