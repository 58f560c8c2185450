# SPDX-License-Identifier: Apache-2.0
"""Who may call a view: every view carries its policy rule, or is marked public.

Below a prefix somebody must call in either case, see :func:`init_app`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from flask import Flask, Response, current_app, request

from bm_shim import context, errors
from bm_shim.api import prefixes
from bm_shim.context import RequestContext
from bm_shim.formats import Format
from bm_shim.inventory import Inventory
from bm_shim.policy import Policy

View = Callable[..., Response]

#: Where the access log finds which operation a request was, by the name of its policy rule.
OPERATION_KEY = "bm_shim.operation"

_EXTENSION = "bm_shim"

# Where a view keeps the names of its policy rules.
_RULES = "policy_rules"


@dataclass(frozen=True, slots=True)
class Services:
    """What the views work with, one set for each application."""

    policy: Policy
    inventory: Inventory
    #: For each prefix, how nodes are shown.
    dialects: Mapping[str, Format]
    #: Whether writes are refused, as by Nova's proxy.
    read_only: bool
    #: The most servers in an answer.
    max_limit: int
    #: Seconds that the answer to a list may be old.
    list_max_age: int
    #: When the API will be switched off, and where its successor is; None: as the catalogue says.
    sunset: datetime | None = None
    successor_url: str | None = None


def init_app(app: Flask, services: Services) -> None:
    """Give an application its services, and let nobody in whom it does not know."""
    app.extensions[_EXTENSION] = services

    # As in Nova, before it is looked whether there is such a path.
    @app.before_request
    def need_caller() -> None:
        if prefixes.is_below_root(request.environ):
            caller()


def services() -> Services:
    """Return the services of the application that serves this request."""
    found: Services = current_app.extensions[_EXTENSION]
    return found


def dialect() -> Format:
    """Return the format of the prefix that this request came to."""
    return services().dialects[prefixes.prefix_of(request.environ) or prefixes.NEW]


def caller() -> RequestContext:
    """Return who calls.

    :raises errors.Unauthorized: the token check let nobody through
    """
    found: RequestContext | None = request.environ.get(context.ENVIRON_KEY)
    if found is None:
        raise errors.Unauthorized
    return found


def is_admin() -> bool:
    """Whether the caller is an administrator."""
    return services().policy.is_admin(caller())


def authorize(rule: str, project_id: str | None = None) -> None:
    """Let the caller pass, and note the operation for the access log.

    :param project_id: the project that it is about; None: the caller's own
    :raises errors.Unauthorized: nobody called
    :raises errors.Forbidden: the policy does not allow it
    """
    note_operation(rule)
    services().policy.authorize(caller(), rule, project_id)


def note_operation(name: str) -> None:
    """Tell the access log which operation this request is."""
    request.environ[OPERATION_KEY] = name


def requires(rule: str) -> Callable[[View], View]:
    """Guard a view with a policy rule."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Response:
            authorize(rule)
            return view(*args, **kwargs)

        guarded.__dict__[_RULES] = (rule,)
        return guarded

    return decorate


def authorizes(*rules: str) -> Callable[[View], View]:
    """Mark a view that calls :func:`authorize` itself, with some of these rules.

    It does so once it knows what the request is about; here it is only made sure that somebody
    calls.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Response:
            caller()
            return view(*args, **kwargs)

        guarded.__dict__[_RULES] = rules
        return guarded

    return decorate


def public(view: View) -> View:
    """Mark a view that no policy rule guards."""
    view.__dict__[_RULES] = ()
    return view


def rules_of(view: View) -> tuple[str, ...]:
    """Return the policy rules that guard a view; none for a public one.

    :raises KeyError: the view is neither guarded nor public
    """
    rules: tuple[str, ...] = view.__dict__[_RULES]
    return rules


def check_project(project_id: str | None) -> None:
    """Refuse a path with another project than the token's.

    :raises errors.BadRequest: as Nova has it
    """
    own = caller().project_id
    if project_id is not None and own is not None and project_id != own:
        raise errors.BadRequest(
            f"Malformed request URL: URL's project_id '{project_id}' doesn't match Context's "
            f"project_id '{own}'"
        )
