# SPDX-License-Identifier: Apache-2.0
"""Write ``openapi.yaml``: ``make openapi``.

Request bodies come from :mod:`bm_shim.schemas`, paths from :mod:`bm_shim.api.prefixes`, the words
from the tables of the reference (``source/parameters.yaml``).
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import yaml
from openapi_schemas import (
    REQUESTS,
    JsonObject,
    answer_schemas,
    array,
    exactly,
    fault_schema,
    one_of,
    reference,
    request_schemas,
    words,
)

from bm_shim import errors
from bm_shim.api import extensions, flavors, microversion, nodes, prefixes, servers
from bm_shim.server_query import ATTRIBUTES, PATTERNS, nothing

_VENDOR = "application/vnd.openstack.compute"
_JSON = ("application/json", f"{_VENDOR}+json")
_XML = ("application/xml", f"{_VENDOR}+xml")

_STRING: JsonObject = {"type": "string"}


@dataclass(frozen=True)
class Operation:
    """An operation, wherever it is served."""

    view: str
    summary: str
    #: The body of each success, by its name in ``_BODIES``; None: it is empty.
    success: Mapping[int, str | None]
    #: Errors under all prefixes, and those under the new one only.
    errors: tuple[int, ...] = ()
    new_errors: tuple[int, ...] = ()
    #: Names of the schemas of which the body is one.
    requests: tuple[str, ...] = ()
    #: Parameters of the query, and the tables' words for them.
    query: Mapping[str, str] = field(default_factory=dict)
    #: Whether successes are JSON under all prefixes.
    json_only: bool = False


# Errors of a call that needs a token, of one that needs Ironic, and of one with a body.
_TOKEN = (401, 503)
_IRONIC = (*_TOKEN, 400, 403, 501, 502)
_BODY = (*_IRONIC, 413)
# More errors for a project in the path, for one that cannot be an id, and for a microversion.
_OF_PROJECT = {400}
_OF_NEW_PROJECT = {404}
_OF_VERSION = {400, 406}

_NODE = f"{nodes.PATH}/{{node_id}}"
_EXTENSION = f"{extensions.PATH}/{{alias}}"
_SERVER = f"{servers.PATH}/{{server_id}}"

#: What a list of servers may be asked for; the names of attributes that no server has come last.
_QUERY = {
    "all_tenants": "all_tenants_query",
    "limit": "limit_query",
    "marker": "marker_query",
    "status": "status_query",
    "changes-since": "changes_since_query",
    "deleted": "deleted_query",
    **{name: f"{name}_query" for name in PATTERNS},
    **{name: f"{name}_query" for name in ATTRIBUTES},
    "tenant_id": "project_id_query",
    **dict.fromkeys(
        (name for name, attribute in ATTRIBUTES.items() if attribute is nothing), "nothing_query"
    ),
}


def _list_servers(view: str, title: str, body: str) -> Operation:
    return Operation(view, title, {200: body}, _IRONIC, query=_QUERY, json_only=True)


#: Variables in paths below a prefix, and the tables' words for them.
_IN_PATH = {
    "node_id": "node_id",
    "server_id": "server_id",
    "flavor_id": "flavor_id",
    "alias": "alias_path",
}

#: Below each prefix, by path and method.
_OPERATIONS = {
    nodes.PATH: {
        "get": Operation("list_nodes", "List Bare Metal Nodes", {200: "Nodes"}, _IRONIC, (404,)),
        "post": Operation(
            "create_node",
            "Create Bare Metal Node",
            {200: "Node"},
            (*_BODY, 409),
            (404, 415),
            ("NewNode",),
        ),
    },
    _NODE: {
        "get": Operation(
            "show_node", "Show Bare Metal Node Details", {200: "Node"}, (*_IRONIC, 404)
        ),
        "delete": Operation(
            "delete_node", "Delete Bare Metal Node", {202: None}, (*_IRONIC, 404, 409)
        ),
    },
    f"{_NODE}/action": {
        "post": Operation(
            "act_on_node",
            "Add Interface, Remove Interface",
            {200: "Interface", 202: None},
            (*_BODY, 404, 409),
            (415,),
            ("NewInterface", "InterfaceMatch"),
        ),
    },
    servers.PATH: {"get": _list_servers("list_servers", "List Servers", "ServersInList")},
    f"{servers.PATH}/detail": {
        "get": _list_servers("list_servers_with_details", "List Servers Detailed", "Servers"),
    },
    _SERVER: {
        "get": Operation(
            "show_server",
            "Show Server Details",
            {200: "Server"},
            (*_IRONIC, 404),
            json_only=True,
        ),
        "delete": Operation("delete_server", "Delete Server", {204: None}, (*_IRONIC, 404, 409)),
    },
    f"{_SERVER}/action": {
        "post": Operation(
            "act_on_server", "Reboot Server", {202: None}, (*_BODY, 404, 409), (415,), ("Reboot",)
        ),
    },
    f"{flavors.PATH}/{{flavor_id}}": {
        "get": Operation(
            "show_flavor",
            "Show Flavor Details",
            {200: "Flavor"},
            (*_IRONIC, 404),
            json_only=True,
        ),
    },
    extensions.PATH: {
        "get": Operation("list_extensions", "List Extensions", {200: "Extensions"}, _TOKEN),
    },
    _EXTENSION: {
        "get": Operation(
            "show_extension", "Show Extension Details", {200: "Extension"}, (*_TOKEN, 404)
        ),
    },
}

_LIST_VERSIONS = Operation("list_versions", "List Versions", {200: "Versions"})
_SHOW_VERSION = Operation("show_version", "Show Version Details", {200: "Version"})
_SHOW_VERSION_OF_PROJECT = Operation(
    "show_version", "Show Version Details of a Project", {200: "Version"}, _TOKEN
)

#: Successes; each is an object with one key.
_BODIES: dict[str, JsonObject] = {
    "Versions": {"versions": array(reference("schemas", "Version"))},
    "Version": {"version": reference("schemas", "VersionDetails")},
    "Extensions": {"extensions": array(reference("schemas", "Extension"))},
    "Extension": {"extension": reference("schemas", "Extension")},
    "Nodes": {
        "nodes": array(one_of("UnionNodeInList", "NovaBaremetalNode", "IronicProxyNodeInList"))
    },
    "Node": {"node": one_of("UnionNode", "NovaBaremetalNode", "IronicProxyNode")},
    "Interface": {"interface": one_of("Interface", "IronicProxyInterface")},
    "ServersInList": {"servers": array(reference("schemas", "ServerInList"))},
    "Servers": {"servers": array(reference("schemas", "Server"))},
    "Server": {"server": reference("schemas", "Server")},
    "Flavor": {"flavor": reference("schemas", "Flavor")},
}
#: What may be beside the one key.
_MORE: dict[str, JsonObject] = {
    name: {"servers_links": reference("schemas", "NextLinks")}
    for name in ("ServersInList", "Servers")
}

_HEADERS: dict[str, JsonObject] = {
    "X-OpenStack-Request-Id": {"description": "ID of the request.", "schema": _STRING},
    "X-Compute-Request-Id": {"description": "ID of the request.", "schema": _STRING},
    "OpenStack-API-Version": {"description": "The microversion.", "schema": _STRING},
    "X-OpenStack-Nova-API-Version": {"description": "The microversion.", "schema": _STRING},
    "WWW-Authenticate": {"description": "Where to get a token.", "schema": _STRING},
    "Deprecation": {
        "description": "Since when the API is deprecated: ``@`` and seconds since 1970.",
        "schema": {"type": "string", "pattern": "^@[0-9]+$"},
    },
    "Sunset": {
        "description": "When the API will be switched off, if that is decided.",
        "schema": _STRING,
    },
    "Link": {
        "description": "What takes the place of the nodes, or of the node, in Ironic's API.",
        "schema": _STRING,
    },
    "Retry-After": {
        "description": "Seconds to wait, if trying again may help.",
        "schema": {"type": "integer"},
    },
    "Age": {"description": words("Age"), "schema": {"type": "integer"}},
}
_ID_HEADERS = ("X-OpenStack-Request-Id", "X-Compute-Request-Id")
#: With answers about nodes, good and bad ones; who is not let in is not told.
_SUCCESSOR_HEADERS = ("Deprecation", "Sunset", "Link")
_ABOUT_NODES = (None, "Nodes", "Node", "Interface")
_VERSION_HEADERS = ("OpenStack-API-Version", "X-OpenStack-Nova-API-Version")
#: More of them, with some successes and some errors.
_SUCCESS_HEADERS = {"Nodes": ("Age",)}
_ERROR_HEADERS = {401: ("WWW-Authenticate",), 409: ("Retry-After",), 503: ("Retry-After",)}

#: Which errors the statuses stand for: name and description of the response.
_ERRORS = {
    each.status: each
    for each in (
        errors.BadRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.NotAcceptable,
        errors.Conflict,
        errors.RequestTooLarge,
        errors.UnsupportedMediaType,
        errors.NotImplementedByIronic,
        errors.BadGateway,
        errors.ServiceUnavailable,
    )
}


class Description:
    """The description in the making: operations add the components that they use."""

    def __init__(self) -> None:
        self.paths: JsonObject = {}
        self._responses: JsonObject = {}
        self._bodies: JsonObject = {}
        for route in prefixes.ROUTES.values():
            self._add_prefix(route)
        self._add_versions()

    def whole(self) -> JsonObject:
        """Return it."""
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Legacy Bare Metal API",
                "summary": "Nova's os-baremetal-nodes, served from Ironic.",
                "description": "Servers and flavors are there with `[api] serve_instances` only.",
                "version": microversion.text(microversion.MAXIMUM),
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "security": [{"token": []}],
            "paths": self.paths,
            "components": {
                "parameters": _parameters(),
                "headers": _HEADERS,
                "responses": dict(sorted(self._responses.items())),
                "schemas": {**request_schemas(), **answer_schemas(), **self._bodies},
                "securitySchemes": {
                    "token": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "X-Auth-Token",
                        "description": words("X-Auth-Token"),
                    }
                },
            },
        }

    def _add_prefix(self, route: str) -> None:
        prefix, with_project = route.split("/")[1], "project_id" in route
        start = f"/{prefix}/{{project_id}}" if with_project else f"/{prefix}"
        name = prefix if with_project else f"{prefix}_without_project"
        for below, operations in _OPERATIONS.items():
            self._add(start + below, prefix, name, operations)

    def _add_versions(self) -> None:
        self._add("/", None, "root", {"get": _LIST_VERSIONS})
        for prefix in prefixes.ALL:
            self._add(f"/{prefix}", prefix, prefix, {"get": _SHOW_VERSION})
            self._add(f"/{prefix}/", prefix, f"{prefix}_with_slash", {"get": _SHOW_VERSION})
        prefix = prefixes.NEW
        path = f"/{prefix}/{{project_id}}/"
        self._add(path, prefix, f"{prefix}_of_project", {"get": _SHOW_VERSION_OF_PROJECT})

    def _add(
        self, path: str, prefix: str | None, name: str, operations: Mapping[str, Operation]
    ) -> None:
        """Add a path.

        :param name: what the names of its operations begin with
        """
        parameters = _path_parameters(path, prefix)
        more_errors: set[int] = set()
        if "{project_id}" in path:
            more_errors |= _OF_PROJECT
        if "{project_id}" in path and prefix == prefixes.NEW:
            more_errors |= _OF_NEW_PROJECT
        if prefix == prefixes.NEW:
            more_errors |= _OF_VERSION
            parameters += [reference("parameters", each) for each in _VERSION_HEADERS]
        self.paths[path] = {"parameters": parameters} if parameters else {}
        for method, operation in operations.items():
            statuses = {*operation.errors, *more_errors}
            if prefix == prefixes.NEW:
                statuses.update(operation.new_errors)
            described: JsonObject = {
                "operationId": f"{name.replace('.', '_')}_{operation.view}",
                "summary": operation.summary,
            }
            if HTTPStatus.UNAUTHORIZED not in statuses:
                described["security"] = []
            if operation.requests:
                described["requestBody"] = _request_body(operation.requests, prefix)
            if operation.query:
                described["parameters"] = [
                    reference("parameters", f"{name}_in_query") for name in operation.query
                ]
            described["responses"] = {
                **{
                    str(status): self._success(status, body, prefix, json_only=operation.json_only)
                    for status, body in operation.success.items()
                },
                **{str(s): self._fault(s, prefix) for s in sorted(statuses)},
            }
            self.paths[path][method] = described

    def _success(
        self, status: int, body: str | None, prefix: str | None, *, json_only: bool
    ) -> JsonObject:
        headers = (*_ID_HEADERS, *(_SUCCESSOR_HEADERS if body in _ABOUT_NODES else ()))
        if body is None:
            words = HTTPStatus(status).phrase
            return self._response(words.title().replace(" ", ""), f"{words}.", prefix, headers, {})
        self._bodies[f"{body}Body"] = exactly(_BODIES[body], _MORE.get(body, {}))
        content = _content(f"{body}Body", prefix, _JSON, () if json_only else _XML)
        headers += _SUCCESS_HEADERS.get(body, ())
        return self._response(body, "OK.", prefix, headers, {"content": content})

    def _fault(self, status: int, prefix: str | None) -> JsonObject:
        error = _ERRORS[status]
        name = error.__name__
        self._bodies[f"{name}Fault"] = fault_schema(status)
        # Of a plain type, whatever was asked for.
        content = _content(f"{name}Fault", prefix, _JSON[:1], _XML[:1])
        description = str(error.__doc__).partition("\n")[0]
        headers = (*_ID_HEADERS, *_ERROR_HEADERS.get(status, ()))
        if status != HTTPStatus.UNAUTHORIZED:
            headers += _SUCCESSOR_HEADERS
        return self._response(name, description, prefix, headers, {"content": content})

    def _response(
        self,
        name: str,
        description: str,
        prefix: str | None,
        headers: tuple[str, ...],
        content: JsonObject,
    ) -> JsonObject:
        """Return a reference to a response; each era has its own."""
        if prefix == prefixes.NEW:
            name += "WithVersion"
            headers += _VERSION_HEADERS
        else:
            name += "InJsonOrXml"
        self._responses[name] = {
            "description": description,
            "headers": {header: reference("headers", header) for header in headers},
            **content,
        }
        return reference("responses", name)


def _content(
    schema: str, prefix: str | None, in_json: tuple[str, ...], in_xml: tuple[str, ...]
) -> JsonObject:
    """Return a body. How XML is made of JSON, no schema can say."""
    described = {each: {"schema": reference("schemas", schema)} for each in in_json}
    if prefix != prefixes.NEW:
        described |= {each: {"schema": _STRING} for each in in_xml}
    return described


def _request_body(names: tuple[str, ...], prefix: str | None) -> JsonObject:
    in_json = {media_type: {"schema": _any(map(_under_key, names))} for media_type in _JSON}
    in_xml = {
        media_type: {"schema": _any(reference("schemas", name) for name in names)}
        for media_type in (_XML if prefix in prefixes.OLD else ())
    }
    return {"required": True, "content": {**in_json, **in_xml}}


def _under_key(name: str) -> JsonObject:
    _, key, _ = REQUESTS[name]
    return {"type": "object", "properties": {key: reference("schemas", name)}, "required": [key]}


def _any(schemas: Iterable[JsonObject]) -> JsonObject:
    several = list(schemas)
    return several[0] if len(several) == 1 else {"oneOf": several}


def _path_parameters(path: str, prefix: str | None) -> list[JsonObject]:
    new = {"project_id": "project_id_of_v2_1"} if prefix == prefixes.NEW else {}
    names = [name for name in ("project_id", *_IN_PATH) if f"{{{name}}}" in path]
    return [reference("parameters", new.get(name, name)) for name in names]


def _parameters() -> JsonObject:
    """Return what requests have beside bodies."""
    segment: JsonObject = {"type": "string", "minLength": 1}
    hexadecimal: JsonObject = {"type": "string", "pattern": "^[0-9a-f-]+$"}
    major, last = microversion.MAXIMUM
    versions = [f"{major}.{minor}" for minor in range(microversion.MINIMUM[1], last + 1)]
    return {
        "project_id": _in_path("project_id", "project_id", segment),
        "project_id_of_v2_1": _in_path("project_id", "project_id", hexadecimal),
        **{name: _in_path(name, words_of, segment) for name, words_of in _IN_PATH.items()},
        **{f"{name}_in_query": _in_query(name, each) for name, each in _QUERY.items()},
        **{
            name: {
                "name": name,
                "in": "header",
                "description": words(name),
                "schema": {"enum": [service + version for version in (*versions, "latest")]},
            }
            for name, service in zip(_VERSION_HEADERS, ("compute ", ""), strict=True)
        },
    }


def _in_query(name: str, parameter: str) -> JsonObject:
    schema: JsonObject = _STRING
    if name == "limit":
        schema = {"type": "integer", "minimum": 0}
    elif name == "status":
        schema = array(_STRING)
    return {"name": name, "in": "query", "description": words(parameter), "schema": schema}


def _in_path(name: str, parameter: str, schema: JsonObject) -> JsonObject:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": words(parameter),
        "schema": schema,
    }


class _Dumper(yaml.SafeDumper):
    """Writes what occurs twice twice: references are for people to follow."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def main(target: Path) -> None:
    """Write the description."""
    text = yaml.dump(
        Description().whole(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=99
    )
    target.write_text(f"# Made by generate_openapi.py: make openapi.\n{text}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("openapi.yaml"))
