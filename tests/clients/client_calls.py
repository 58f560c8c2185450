# SPDX-License-Identifier: Apache-2.0
"""What scripts do with the bindings of an old novaclient. Runs in that client's environment.

Reads ``{"sign_in": {...}, "calls": NAME, "arguments": {...}}`` as JSON from stdin, and prints
what the calls returned as JSON. Needs nothing but novaclient, and no later Python than that does.
"""

import importlib
import json
import sys
from typing import Any


def sign_in(arguments: dict[str, Any]) -> Any:
    """Return a client: of identity v3, or, with a ``token``, of one that knows only v2.0."""
    module = "novaclient.v1_1" if "token" in arguments else "novaclient.v2"
    contrib = importlib.import_module(f"{module}.contrib.baremetal")
    extension = importlib.import_module("novaclient.extension").Extension("baremetal", contrib)
    if "token" in arguments:
        client = importlib.import_module("novaclient.v1_1.client")
        return client.Client(
            project_id=arguments["project_name"],
            auth_url=arguments["auth_url"],
            auth_token=arguments["token"],
            bypass_url=arguments["endpoint"],
            extensions=[extension],
        )
    identity = importlib.import_module("keystoneauth1.identity.v3")
    session = importlib.import_module("keystoneauth1.session")
    password = identity.Password(**arguments["password"])
    return importlib.import_module("novaclient.client").Client(
        arguments["version"], session=session.Session(auth=password), extensions=[extension]
    )


def write(client: Any, values: dict[str, Any], address: str) -> dict[str, Any]:
    """Make a node, give it an interface and take that away again; delete the node."""
    baremetal = client.baremetal
    created = baremetal.create(**values)
    shown = baremetal.get(created.id)
    added = baremetal.add_interface(created.id, address, datapath_id="0x7f", port_no=4)
    with_two = baremetal.list_interfaces(created.id)
    baremetal.remove_interface(created.id, address)
    with_one = baremetal.list_interfaces(created.id)
    baremetal.delete(created)
    return {
        "created": created.to_dict() if hasattr(created, "to_dict") else created._info,
        "shown": shown._info,
        "added": added._info,
        "with_two": [each.address for each in with_two],
        "with_one": [each.address for each in with_one],
        "left": [node.id for node in baremetal.list()],
    }


def read(client: Any, node: str) -> dict[str, Any]:
    """Look at a node in all ways there are."""
    baremetal = client.baremetal
    return {
        "listed": [each._info for each in baremetal.list() if each.uuid == node],
        "shown": baremetal.get(node)._info,
        "interfaces": [each._info for each in baremetal.list_interfaces(node)],
    }


def main() -> None:
    """Run as a program."""
    order = json.load(sys.stdin)
    calls = read if order["calls"] == "read" else write
    json.dump(calls(sign_in(order["sign_in"]), **order["arguments"]), sys.stdout)


if __name__ == "__main__":
    main()
