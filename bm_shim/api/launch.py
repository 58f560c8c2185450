# SPDX-License-Identifier: Apache-2.0
"""What a launch begins with: refused, with the way that there is.

Clients look for an image and a flavor first. If these were merely not found, that is all that
their users would hear.
"""

from typing import NoReturn

from flask import Response

from bm_shim import errors
from bm_shim.api import microversion
from bm_shim.api.access import note_operation, public
from bm_shim.api.mount import resource
from bm_shim.api.representation import read_object

PATH = ""

MESSAGE = (
    "Servers cannot be launched here: this service lists, shows, reboots and deletes those that "
    "machines of Ironic run already. Launch them with the cloud's current Nova and its ironic "
    "driver (openstack server create), or with Ironic itself (openstack baremetal node deploy)."
)

blueprint = resource("launch")
blueprint.before_request(microversion.check_offered)


@blueprint.post("/servers")
@blueprint.post("/os-volumes_boot")
@public
def refuse_launch() -> Response:
    """Refuse a launch, whatever is to be launched."""
    note_operation("os_compute_api:servers:create")
    read_object()
    _refuse()


@blueprint.get("/flavors")
@blueprint.get("/flavors/detail")
@blueprint.get("/images")
@blueprint.get("/images/detail")
@public
def refuse_choice() -> Response:
    """Refuse to say what could be launched."""
    _refuse()


@blueprint.get("/images/<image_id>")
@public
def refuse_image(image_id: str) -> Response:
    """Refuse to show an image."""
    _refuse()


def _refuse() -> NoReturn:
    raise errors.Forbidden(MESSAGE)
