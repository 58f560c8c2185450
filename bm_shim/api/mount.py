# SPDX-License-Identifier: Apache-2.0
"""Resources under every prefix, with the checks that Nova makes before any resource's own."""

from collections.abc import Callable, Container

from flask import Blueprint, Flask, request
from werkzeug.routing import BaseConverter

from bm_shim import errors
from bm_shim.api import microversion, prefixes
from bm_shim.api.access import check_project


class ProjectConverter(BaseConverter):
    """A project id as ``/v2.1`` knows it."""

    regex = "[0-9a-f-]+"


def resource(name: str, *, only_old: Container[str] = ()) -> Blueprint:
    """Return a blueprint for a resource of the compute API.

    :param only_old: methods that it had routes for until Juno, and on the old prefixes has still
    """
    blueprint = Blueprint(name, __name__)
    blueprint.before_request(_check_request(only_old))
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


def _check_request(only_old: Container[str]) -> Callable[[], None]:
    """Return what checks what comes before policy in Nova: method, microversion, project."""

    def check() -> None:
        # Nova's routes never knew HEAD.
        gone = request.method in only_old and not prefixes.is_old(request.environ)
        if request.method == "HEAD" or gone:
            raise not_routed()
        microversion.check()
        view_args = request.view_args or {}
        check_project(view_args.pop("project_id", None))

    return check
