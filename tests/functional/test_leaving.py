# SPDX-License-Identifier: Apache-2.0
"""The successor that answers name is there: the same node, in Ironic."""

import re

from .support import Cloud, node_of


def test_the_link_leads_to_the_node(cloud: Cloud) -> None:
    with cloud.restored():
        made = cloud.api.create(prov_mac_address="52:54:00:1e:a7:01")
        uuid = node_of(made)["uuid"]
        for response in (made, cloud.api.show(uuid), cloud.api.list()):
            assert response.headers["Deprecation"] == "@1475712000"
            found = re.fullmatch('<(.*)>; rel="successor-version"', response.headers["Link"])
            assert found is not None
            answer = cloud.ironic.get(found[1]).json()
            assert uuid in [answer.get("uuid"), *(n["uuid"] for n in answer.get("nodes", []))]
