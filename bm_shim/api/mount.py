# SPDX-License-Identifier: Apache-2.0
"""Resources under every prefix, with the checks that Nova makes before any resource's own."""

from flask import Blueprint, Flask, request
from werkzeug.routing import BaseConverter

from bm_shim import errors
from bm_shim.api import microversion, prefixes
from bm_shim.api.access import check_project


class ProjectConverter(BaseConverter):
    """A project id as ``/v2.1`` knows it."""

    regex = "[0-9a-f-]+"


def resource(name: str) -> Blueprint:
    """Return a blueprint for a resource of the compute API."""
    blueprint = Blueprint(name, __name__)
    blueprint.before_request(_check_request)
    blueprint.after_request(microversion.add_headers)
    return blueprint


def mount(app: Flask, blueprint: Blueprint, path: str) -> None:
    """Register a resource at ``path`` under every prefix."""
    app.url_map.converters["project"] = ProjectConverter
    for name, route in prefixes.ROUTES.items():
        app.register_blueprint(blueprint, name=f"{name}_{blueprint.name}", url_prefix=route + path)


def not_routed() -> errors.NotFound:
    """Return the error for a path or method that Nova had no route for.

    The answer is that to an unknown path, so of no version.
    """
    request.url_rule = None
    return errors.NotFound()


def _check_request() -> None:
    """Check what comes before policy in Nova: method, microversion, project."""
    if not _is_routed(request.method):
        raise not_routed()
    microversion.check()
    view_args = request.view_args or {}
    check_project(view_args.pop("project_id", None))


def _is_routed(method: str) -> bool:
    """Whether Nova's routes knew the method: never HEAD, and PUT until Juno."""
    return method != "HEAD" and (method != "PUT" or prefixes.is_old(request.environ))
