# SPDX-License-Identifier: Apache-2.0
"""Headers that say that the API is deprecated, until when it is there, and what comes after it.

``Deprecation`` (RFC 9745), ``Sunset`` (RFC 8594), and ``Link`` with the relation
``successor-version`` (RFC 5829). Old clients pass them over; monitoring of HTTP traffic does not.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from flask import Response, g, request
from werkzeug.http import http_date

from bm_shim.api.access import services

#: Nova 14.0.0, the release of Newton, whose microversion 2.36 has the API no more.
_DEPRECATED = datetime(2016, 10, 6, tzinfo=UTC)

_NODE = "successor_node"

#: All that a URL may have in it. The rest, which somebody has put into the catalogue all the same,
#: would end the header or be no header at all.
_OF_URLS = ":/?#[]@!$&'()*+,;=%"


def point_to(node_uuid: str) -> None:
    """Name the node that a request, which may have it by an integer, is about."""
    g.setdefault(_NODE, node_uuid)


def add_headers(response: Response) -> Response:
    """Add the headers, but for those whom nobody has let in."""
    if response.status_code == HTTPStatus.UNAUTHORIZED or request.url_rule is None:
        return response
    response.headers["Deprecation"] = f"@{int(_DEPRECATED.timestamp())}"
    sunset = services().sunset
    if sunset is not None:
        response.headers["Sunset"] = http_date(sunset)
    base = services().successor_url or services().inventory.public_url
    if base is not None:
        # Who sets the option copies what stands in the catalogue, perhaps with the version.
        root = quote(base.rstrip("/").removesuffix("/v1"), safe=_OF_URLS)
        target = f"{root}/v1/nodes{_below(response)}"
        response.headers.add("Link", f'<{target}>; rel="successor-version"')
    return response


def _below(response: Response) -> str:
    """Return the path of the node, if there is one; else the answer is about all of them."""
    node_id = (request.view_args or {}).get("node_id", "")
    if _NODE in g:
        return f"/{g.get(_NODE)}"
    is_there = response.status_code < 400 and request.method != "DELETE"
    return f"/{node_id}" if is_there and _is_uuid(node_id) else ""


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
