# SPDX-License-Identifier: Apache-2.0
"""Ironic's JSON, asked for without the manners of ironicclient.

The client's own lists take any JSON for an empty one, and follow links in circles; its create of a
node refuses fields that Ironic takes.
"""

from typing import Any
from urllib.parse import urlsplit

from ironicclient.v1 import client as v1

JsonObject = dict[str, Any]


def ask(
    client: v1.Client,
    method: str,
    path: str,
    *,
    global_request_id: str,
    version: str | None = None,
    **kwargs: Any,
) -> JsonObject:
    """Send a request whose answer is a JSON object, and return that.

    :param version: of the API, where it is not the client's
    :param kwargs: ``body``
    :raises ValueError: the answer is none
    """
    headers = {"X-OpenStack-Request-Id": global_request_id}
    if version is not None:
        headers["X-OpenStack-Ironic-API-Version"] = version
    body: Any = client.http_client.json_request(method, path, headers=headers, **kwargs)[1]
    if not isinstance(body, dict):
        raise ValueError("the answer is no JSON object")
    return body


def read_pages(
    client: v1.Client, key: str, query: str, *, global_request_id: str
) -> list[JsonObject]:
    """Read a list to its end.

    :raises ValueError, KeyError, TypeError: it is no list of Ironic's
    """
    rows: list[JsonObject] = []
    read: set[str] = set()
    path = f"/v1/{key}?{query}"
    while path:
        if path in read:
            raise ValueError("the links between the pages of a list lead back")
        read.add(path)
        body = ask(client, "GET", path, global_request_id=global_request_id)
        rows += [_without_links(row) for row in body[key]]
        path = _following(body.get("next"), key)
    return rows


def _without_links(row: JsonObject) -> JsonObject:
    """Return a row without what Ironic adds unasked: half the memory of a big fleet's list."""
    return {name: value for name, value in row.items() if name != "links"}


def _following(link: str | None, key: str) -> str:
    """Return what to ask for to follow the link to the next page; empty for none.

    Its host and prefix are those that Ironic believes to be its own; ours are the endpoint's.
    """
    if link is None:
        return ""
    url = urlsplit(link)
    if not url.path.endswith(f"/v1/{key}"):
        raise ValueError("a link between the pages of a list leads to something else")
    return f"/v1/{key}?{url.query}"
