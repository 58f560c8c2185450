# SPDX-License-Identifier: Apache-2.0
"""Version documents, from which clients learn how far the API goes. No token needed.

As Nova has them since 21.0.0 (the version roots without a token and without a redirect). To a path
below none of them Nova answers with a choice of versions (300), which no client of this API asks
for; here such a path is unknown.
"""

from dataclasses import dataclass, replace

from flask import Blueprint, Response, request

from bm_shim.addresses import root_url
from bm_shim.api import microversion
from bm_shim.api.access import check_project, public
from bm_shim.api.mount import not_routed
from bm_shim.api.representation import answer

blueprint = Blueprint("versions", __name__)
blueprint.before_request(microversion.check)
blueprint.after_request(microversion.add_headers)


@dataclass(frozen=True, slots=True)
class Version:
    """An entry of the documents."""

    id: str
    path: str
    status: str
    updated: str
    #: As in the vendor's media types, and the syntaxes that there are.
    media_type_version: str
    syntaxes: tuple[str, ...] = ("xml", "json")
    #: The range of microversions, empty where there are none.
    minimum: str = ""
    maximum: str = ""


_V2_0 = Version("v2.0", "/v2/", "SUPPORTED", "2011-01-21T11:33:21Z", "2")
# One application under two names. Clients that look for an endpoint of v2 find it under either.
_V1_1 = replace(_V2_0, path="/v1.1/")
_V2_1 = Version(
    "v2.1",
    "/v2.1/",
    "CURRENT",
    "2013-07-23T11:33:21Z",
    "2.1",
    syntaxes=("json",),
    minimum=microversion.text(microversion.MINIMUM),
    maximum=microversion.text(microversion.MAXIMUM),
)


@blueprint.get("/")
@public
def list_versions() -> Response:
    """List the versions; v1.1 never was among them, being v2.0 under its first name."""
    return answer({"versions": [_entry(_V2_0), _entry(_V2_1)]})


@blueprint.get("/v1.1")
@blueprint.get("/v1.1/")
@public
def show_v1_1() -> Response:
    """Show v2.0 under its first name."""
    return answer({"version": _details(_V1_1)})


@blueprint.get("/v2")
@blueprint.get("/v2/")
@public
def show_v2() -> Response:
    """Show v2.0, which has no microversions."""
    return answer({"version": _details(_V2_0)})


@blueprint.get("/v2.1")
@blueprint.get("/v2.1/")
@blueprint.get("/v2.1/<project:project_id>/", strict_slashes=False)
@public
def show_v2_1(project_id: str | None = None) -> Response:
    """Show v2.1; since Pike also below a project, if the path ends with a slash."""
    if project_id is not None:
        if request.method == "HEAD" or not request.path.endswith("/"):
            raise not_routed()
        check_project(project_id)
    return answer({"version": _details(_V2_1)})


def _entry(version: Version, *more_links: dict[str, str]) -> dict[str, object]:
    self_link = {"rel": "self", "href": root_url(request.environ) + version.path}
    return {
        "id": version.id,
        "status": version.status,
        "version": version.maximum,
        "min_version": version.minimum,
        "updated": version.updated,
        "links": [self_link, *more_links],
    }


def _details(version: Version) -> dict[str, object]:
    described_by = {
        "rel": "describedby",
        "type": "text/html",
        "href": "http://docs.openstack.org/",
    }
    vendor = "application/vnd.openstack.compute"
    media_types = [
        {
            "base": f"application/{syntax}",
            "type": f"{vendor}+{syntax};version={version.media_type_version}",
        }
        for syntax in version.syntaxes
    ]
    return {**_entry(version, described_by), "media-types": media_types}
