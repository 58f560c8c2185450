# SPDX-License-Identifier: Apache-2.0
"""``flavors``: what clients look up to show a server. Ironic's resource classes.

Which flavors there are, clients ask before a launch: see :mod:`bm_shim.api.launch`.
"""

from flask import Response

from bm_shim import errors, policy
from bm_shim.api import microversion
from bm_shim.api.access import is_admin, requires
from bm_shim.api.mount import resource
from bm_shim.api.representation import answer_json
from bm_shim.api.servers import links, visible
from bm_shim.formats import server as form

PATH = "/flavors"

blueprint = resource("flavors")
blueprint.before_request(microversion.check_offered)


@blueprint.get("/<flavor_id>")
@requires(policy.SHOW_SERVER)
def show_flavor(flavor_id: str) -> Response:
    """Show the flavor of some servers that the caller may see."""
    instances = [each for each in visible(all_tenants=is_admin()) if each.flavor == flavor_id]
    if not instances:
        raise errors.NotFound(f"Flavor {flavor_id} could not be found.")
    return answer_json({"flavor": form.flavor(flavor_id, instances, links())})
