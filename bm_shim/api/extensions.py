# SPDX-License-Identifier: Apache-2.0
"""``extensions``: where scripts looked whether the server has the bare metal API.

Any authenticated caller may look. The two entries are those of Juno on the old prefixes and those
of Nova's v2.1 code on the new one.
"""

from flask import Response, request

from bm_shim import errors
from bm_shim.api import prefixes
from bm_shim.api.access import public
from bm_shim.api.mount import resource
from bm_shim.api.representation import answer

PATH = "/extensions"

blueprint = resource("extensions")

# Sorted by alias, as they are listed.
_OLD_EXTENSIONS: list[dict[str, object]] = [
    {
        "alias": "os-baremetal-ext-status",
        "description": "Add extended status in Baremetal Nodes v2 API.",
        "links": [],
        "name": "BareMetalExtStatus",
        "namespace": "http://docs.openstack.org/compute/ext/baremetal_ext_status/api/v2",
        "updated": "2013-08-27T00:00:00Z",
    },
    {
        "alias": "os-baremetal-nodes",
        "description": "Admin-only bare-metal node administration.",
        "links": [],
        "name": "BareMetalNodes",
        "namespace": "http://docs.openstack.org/compute/ext/baremetal_nodes/api/v2",
        "updated": "2013-01-04T00:00:00Z",
    },
]
_NEW_EXTENSIONS: list[dict[str, object]] = [
    {
        **extension,
        "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
        "updated": "2014-12-03T00:00:00Z",
    }
    for extension in _OLD_EXTENSIONS
]


@blueprint.get("")
@public
def list_extensions() -> Response:
    """List the extensions."""
    return answer({"extensions": _extensions()})


@blueprint.get("/<alias>")
@public
def show_extension(alias: str) -> Response:
    """Show an extension by its alias."""
    for extension in _extensions():
        if extension["alias"] == alias:
            return answer({"extension": extension})
    raise errors.NotFound


def _extensions() -> list[dict[str, object]]:
    return _OLD_EXTENSIONS if prefixes.is_old(request.environ) else _NEW_EXTENSIONS
