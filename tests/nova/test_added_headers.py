# SPDX-License-Identifier: Apache-2.0
"""Which headers the shim has and nova has not; which have other values, the other tests tell."""

import pytest
import requests

from .differences import ADDED_HEADERS
from .machines import BY_NAME
from .sides import Side, Sides

NODES = "/v2.1/os-baremetal-nodes"
#: Of the server, not of the answer.
_OF_THE_SERVER = {"connection", "date", "server", "transfer-encoding"}


def headers_of(side: Side, path: str) -> dict[str, str]:
    token = {"X-Auth-Token": side.tokens["admin"]}
    response = requests.get(side.url + path, headers=token, timeout=60)
    return {name.lower(): value for name, value in response.headers.items()}


@pytest.mark.parametrize("path", [NODES, f"{NODES}/{BY_NAME['three-ports'].uuid}", f"{NODES}/x"])
def test_answers_about_nodes_name_their_successor(sides: Sides, path: str) -> None:
    nova, shim = headers_of(sides.nova, path), headers_of(sides.shim, path)
    assert shim.keys() - nova.keys() - _OF_THE_SERVER == ADDED_HEADERS.keys()
    assert nova.keys() - shim.keys() - _OF_THE_SERVER == set()


@pytest.mark.parametrize("path", ["/v2.1/", "/v2.1/extensions/os-baremetal-nodes"])
def test_other_answers_have_the_same_headers(sides: Sides, path: str) -> None:
    nova, shim = headers_of(sides.nova, path), headers_of(sides.shim, path)
    assert shim.keys() - _OF_THE_SERVER == nova.keys() - _OF_THE_SERVER
