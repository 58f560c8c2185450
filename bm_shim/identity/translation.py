# SPDX-License-Identifier: Apache-2.0
"""Keystone v3's tokens, catalogue and projects as identity v2.0 showed them. Pure functions.

The shapes are those of Keystone from Havana to Pike, the last release that had v2.0.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from keystoneauth1.access import AccessInfoV3

from bm_shim import errors

JsonObject = dict[str, Any]

COMPUTE = "compute"

#: What may stand in ``[identity_bridge] compute_url``.
PLACEHOLDERS = frozenset({"{tenant_id}", "{region}"})

_URL_NAMES = {"public": "publicURL", "internal": "internalURL", "admin": "adminURL"}


def ensure_of_domain(access: AccessInfoV3, domain_id: str) -> None:
    """Refuse a token that v2.0, which knew one domain only, has no words for; as Keystone did.

    :raises errors.Unauthorized: the user or the scope is of another domain, or of none
    """
    if access.domain_scoped or access.system_scoped:
        raise errors.Unauthorized("Only tokens for a project exist in identity v2.0. Use v3.")
    if access.user_domain_id != domain_id:
        raise errors.Unauthorized("The user is not in the default domain. Use identity v3.")
    if access.project_id is not None and access.project_domain_id != domain_id:
        raise errors.Unauthorized("The project is not in the default domain. Use identity v3.")


def access_document(access: AccessInfoV3, compute_url: str) -> JsonObject:
    """Return what v2.0 answered to a login.

    A token without a project has neither ``tenant`` nor anything in its catalogue.

    :param compute_url: may hold the ``PLACEHOLDERS``
    """
    return {
        "access": {
            "token": _token(access),
            "serviceCatalog": _catalog(access, compute_url),
            "user": {
                "id": access.user_id,
                "name": access.username,
                "username": access.username,
                "roles": [{"name": name} for name in access.role_names or ()],
                "roles_links": [],
            },
            # Keystone always said 0 here, also to administrators.
            "metadata": {"is_admin": 0, "roles": list(access.role_ids or ())},
        }
    }


def endpoint_of_compute(document: JsonObject) -> str:
    """Return the first endpoint of the compute service in an access document with a tenant."""
    services = document["access"]["serviceCatalog"]
    (compute,) = [service for service in services if service["type"] == COMPUTE]
    url: str = compute["endpoints"][0]["publicURL"]
    return url


def tenants(projects: Iterable[Mapping[str, Any]], domain_id: str) -> list[JsonObject]:
    """Return those of the projects that are in the domain."""
    return [
        {
            "id": project["id"],
            "name": project["name"],
            "description": project.get("description"),
            "enabled": project["enabled"],
        }
        for project in projects
        if project["domain_id"] == domain_id
    ]


def page(rows: list[JsonObject], marker: str | None, limit: str | None) -> list[JsonObject]:
    """Return the rows after the one whose id is the marker, no more than the limit.

    :raises errors.BadRequest: there is no such row, or the limit is no number
    """
    if marker is not None:
        ids = [row["id"] for row in rows]
        if marker not in ids:
            raise errors.BadRequest("Marker could not be found")
        rows = rows[ids.index(marker) + 1 :]
    if limit is None:
        return rows
    if not (limit.isascii() and limit.isdigit()):
        raise errors.BadRequest("Invalid limit value")
    return rows[: int(limit)]


def _token(access: AccessInfoV3) -> JsonObject:
    token: JsonObject = {
        "id": access.auth_token,
        "expires": f"{_naive(access.expires).isoformat(timespec='seconds')}Z",
        "issued_at": _naive(access.issued).isoformat(timespec="microseconds"),
    }
    if access.project_id is not None:
        token["tenant"] = {
            "id": access.project_id,
            "name": access.project_name,
            # Tokens of v3 do not tell, and nobody is known to have read it here.
            "description": None,
            "enabled": True,
        }
    return token


def _naive(time: datetime | None) -> datetime:
    """Return a time in UTC, without saying so: v2.0 had it in two spellings."""
    if time is None:
        raise ValueError("a token without its times")
    return time.astimezone(UTC).replace(tzinfo=None)


def _catalog(access: AccessInfoV3, compute_url: str) -> list[JsonObject]:
    """Return the services, one for each type, with one endpoint for each region."""
    if access.project_id is None:
        return []
    names = {COMPUTE: "nova"}
    endpoints: dict[str, dict[str | None, JsonObject]] = {}
    for service in access.service_catalog.catalog:
        names[service["type"]] = service.get("name", "")
        of_type = endpoints.setdefault(service["type"], {})
        for endpoint in service["endpoints"]:
            _add(endpoint, of_type)
    # Without a compute service in the catalogue, the shim is in every region that there is.
    regions = endpoints.get(COMPUTE) or {r: {} for found in endpoints.values() for r in found}
    endpoints[COMPUTE] = {
        region: _compute_endpoint(region, endpoint, _filled(compute_url, access, region))
        for region, endpoint in (regions or {None: {}}).items()
    }
    return [
        {
            "type": kind,
            "name": names[kind],
            "endpoints": list(by_region.values()),
            "endpoints_links": [],
        }
        for kind, by_region in endpoints.items()
    ]


def _add(endpoint: Mapping[str, Any], by_region: dict[str | None, JsonObject]) -> None:
    """Add an endpoint of v3, which has one URL, to those of v2.0, which have up to three."""
    region = endpoint["region"]
    # As in Keystone, there always is a public one, if only by name.
    first = {"id": endpoint["id"], "region": region, "publicURL": ""}
    by_region.setdefault(region, first)[_URL_NAMES[endpoint["interface"]]] = endpoint["url"]


def _compute_endpoint(region: str | None, found: JsonObject, url: str) -> JsonObject:
    endpoint = {"id": found.get("id", "bm-shim"), "region": region}
    return endpoint | dict.fromkeys(_URL_NAMES.values(), url)


def _filled(url: str, access: AccessInfoV3, region: str | None) -> str:
    # Not left to str.format(): the URL may hold a name by which a client called us.
    filled = url.replace("{tenant_id}", access.project_id or "")
    return filled.replace("{region}", region or "")
