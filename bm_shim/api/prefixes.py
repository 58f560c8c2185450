# SPDX-License-Identifier: Apache-2.0
"""The prefixes that the API is served under, and what differs between them."""

from bm_shim.context import WSGIEnvironment

#: Until Juno; ``/v1.1`` and ``/v2`` were one application. It also spoke XML.
OLD = ("v1.1", "v2")
NEW = "v2.1"
ALL = (*OLD, NEW)

#: As routes, by names that Flask allows. Until Liberty the path always named a project; since
#: Mitaka, which had no ``/v1.1`` any more, it need not. On ``/v2.1`` a project has the form of an
#: id, or the path is unknown.
ROUTES = {
    "v1_1": "/v1.1/<project_id>",
    "v2": "/v2/<project_id>",
    "v2_without_project": "/v2",
    "v2_1": "/v2.1/<project:project_id>",
    "v2_1_without_project": "/v2.1",
}


def prefix_of(environ: WSGIEnvironment) -> str | None:
    """Return which of ``ALL`` a request goes to; None if none."""
    first = str(environ.get("PATH_INFO", "")).removeprefix("/").partition("/")[0]
    return first if first in ALL else None


def is_old(environ: WSGIEnvironment) -> bool:
    """Whether a request goes to a prefix of before v2.1."""
    return prefix_of(environ) in OLD


def is_below_root(environ: WSGIEnvironment) -> bool:
    """Whether a request goes to something below a prefix, and not to its version document."""
    rest = str(environ.get("PATH_INFO", "")).removeprefix("/").partition("/")[2]
    return prefix_of(environ) is not None and rest != ""
