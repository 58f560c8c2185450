# SPDX-License-Identifier: Apache-2.0
"""Ironic and Keystone as far as the shim uses them, played at the HTTP wire."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
import responses

JsonObject: TypeAlias = dict[str, Any]

#: How often a rule applies that always does.
ALWAYS = 10**9

PROJECT = "1" * 32
OTHER_PROJECT = "2" * 32
SERVICE_PASSWORD = "serv1ce-passw0rd"
SERVICE_TOKEN = "serv1ce-t0ken"

LOCKED = "Node X is locked by host Y, please retry after the current operation is completed."


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: str | bytes = ""
    headers: Mapping[str, str] = MappingProxyType({})


class Request(NamedTuple):
    """An HTTP request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: requests.structures.CaseInsensitiveDict[str]
    body: Any

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"


Outcome: TypeAlias = Answer | Exception

REFUSED = requests.exceptions.ConnectionError("Connection refused")
RESET = requests.exceptions.ConnectionError("Connection reset by peer")
BROKEN = requests.exceptions.ChunkedEncodingError("Connection broken: IncompleteRead")
TIMEOUT = requests.exceptions.ReadTimeout("Read timed out")


def answer(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body), {"Content-Type": "application/json"})


def refusal(status: int, text: str) -> Answer:
    """An error as Ironic writes it."""
    inner = {"faultcode": "Client", "faultstring": text, "debuginfo": None}
    return answer(status, {"error_message": json.dumps(inner)})


@dataclass
class Rule:
    """What happens to some requests instead of the usual, or on top of it."""

    pattern: str
    outcome: Outcome
    times: int
    done: bool
    used: int = 0

    def applies(self, request: Request) -> bool:
        return self.used < self.times and bool(re.fullmatch(self.pattern, request.call))


class Service:
    """Records all requests and answers them, unless a rule says otherwise."""

    url: ClassVar[str]

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.requests: list[Request] = []
        self.rules: list[Rule] = []
        #: Called with each request before it is answered.
        self.before: Callable[[Request], None] = lambda request: None
        self._lock = threading.RLock()
        everything = re.compile(re.escape(self.url) + "(/.*)?")
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            mock.add_callback(method, everything, self._handle)

    @property
    def calls(self) -> list[str]:
        """The requests so far, as ``GET /v1/nodes``."""
        return [request.call for request in self.requests]

    def fail(self, pattern: str, outcome: Outcome, times: int = 1, *, done: bool = False) -> None:
        """Answer matching calls with ``outcome``; with ``done``, after doing what they ask."""
        self.rules.append(Rule(pattern, outcome, times, done))

    def perform(self, request: Request) -> Answer:
        raise NotImplementedError

    def _handle(self, raw: requests.PreparedRequest) -> Any:
        parts = urlsplit(str(raw.url).removeprefix(self.url))
        body = json.loads(raw.body) if raw.body else None
        query = dict(parse_qsl(parts.query))
        request = Request(str(raw.method), parts.path.rstrip("/"), query, raw.headers, body)
        self.before(request)
        with self._lock:
            self.requests.append(request)
            rule = next((rule for rule in self.rules if rule.applies(request)), None)
            if rule is None:
                return self._reply(self.perform(request))
            rule.used += 1
            if rule.done:
                self.perform(request)
            return self._reply(rule.outcome)

    def _reply(self, outcome: Outcome) -> Any:
        if isinstance(outcome, Exception):
            return outcome
        return outcome.status, outcome.headers, outcome.body


@dataclass
class Collection:
    """Nodes or ports, by UUID."""

    name: str
    rows: dict[str, JsonObject] = field(default_factory=dict)

    def page(self, query: dict[str, str], size: int) -> Answer:
        rows = [row for row in self.rows.values() if _fits(row, query)]
        if marker := query.get("marker"):
            if marker not in self.rows:
                return refusal(404, f"Node {marker} could not be found.")
            rows = rows[list(self.rows).index(marker) + 1 :]
        body: JsonObject = {self.name: [_shown(row, query) for row in rows[:size]]}
        if len(rows) > size:
            kept = {n: v for n, v in query.items() if n in ("fields", "detail", "associated")}
            link = urlencode({**kept, "marker": rows[size - 1]["uuid"], "limit": size})
            body["next"] = f"{Ironic.url}/v1/{self.name}?{link}"
        return answer(200, body)


class Ironic(Service):
    """A small Ironic, which sees to uniqueness, paging and secrets as the real one does."""

    url = "http://ironic.test/baremetal"

    def __init__(self, mock: responses.RequestsMock) -> None:
        super().__init__(mock)
        self._nodes = Collection("nodes")
        self._ports = Collection("ports")
        self.page_size = 1000

    @property
    def nodes(self) -> dict[str, JsonObject]:
        return self._nodes.rows

    @property
    def ports(self) -> dict[str, JsonObject]:
        return self._ports.rows

    @property
    def changes(self) -> list[Request]:
        return [request for request in self.requests if request.method != "GET"]

    def add_node(self, uuid: str, **fields: object) -> JsonObject:
        row: JsonObject = {"uuid": uuid, "name": None, "driver": "ipmi", "instance_uuid": None}
        row |= {"driver_info": {}, "properties": {}, "extra": {}, "updated_at": None}
        self.nodes[uuid] = row | {"provision_state": "available"} | fields
        return self.nodes[uuid]

    def add_port(self, uuid: str, node_uuid: str, address: str, **fields: object) -> JsonObject:
        row: JsonObject = {
            "uuid": uuid,
            "node_uuid": node_uuid,
            "address": address.lower(),
            "extra": {},
        }
        self.ports[uuid] = row | fields
        return self.ports[uuid]

    def perform(self, request: Request) -> Answer:
        _, version, resource, *rest = request.path.split("/")
        assert version == "v1"
        act = getattr(self, f"_{request.method.lower()}_{resource}")
        answered: Answer = act(request, *rest)
        return answered

    def _get_nodes(self, request: Request, ident: str | None = None) -> Answer:
        if request.query.get("project"):
            return answer(200, {"nodes": []})
        if ident is None:
            return self._nodes.page(request.query, self.page_size)
        for node in self.nodes.values():
            if ident in (node["uuid"], node["name"]):
                return answer(200, _masked(node))
        return refusal(404, f"Node {ident} could not be found.")

    def _post_nodes(self, request: Request) -> Answer:
        if request.body["uuid"] in self.nodes:
            return refusal(409, f"A node with UUID {request.body['uuid']} already exists.")
        old = request.headers["X-OpenStack-Ironic-API-Version"] == "1.10"
        state = "available" if old else "enroll"
        return answer(201, _masked(self.add_node(**request.body, provision_state=state)))

    def _patch_nodes(self, request: Request, uuid: str) -> Answer:
        node = self.nodes[uuid]
        for operation in request.body:
            name = operation["path"][1:]
            if operation["op"] == "remove":
                node[name] = None
                continue
            taken = [row.get(name) for row in self.nodes.values()]
            if name == "instance_uuid" and operation["value"] in taken:
                return refusal(409, "Instance X is already associated with a node.")
            node[name] = operation["value"]
        node["updated_at"] = "2026-11-22T20:30:17+00:00"
        return answer(200, _masked(node))

    def _put_nodes(self, request: Request, uuid: str, *path: str) -> Answer:
        if request.body == {"target": "deleted"}:
            self.nodes[uuid] |= {"instance_uuid": None, "provision_state": "available"}
        return Answer(202)

    def _delete_nodes(self, request: Request, ident: str) -> Answer:
        if ident not in self.nodes:
            return refusal(404, f"Node {ident} could not be found.")
        if self.nodes[ident].get("instance_uuid"):
            return refusal(409, f"Node {ident} is associated with an instance.")
        del self.nodes[ident]
        for port in [port for port in self.ports.values() if port["node_uuid"] == ident]:
            del self.ports[port["uuid"]]
        return Answer(204)

    def _get_ports(self, request: Request) -> Answer:
        node = request.query.get("node")
        if node is not None and node not in self.nodes:
            return refusal(404, f"Node {node} could not be found.")
        return self._ports.page(request.query, self.page_size)

    def _post_ports(self, request: Request) -> Answer:
        body = request.body
        if body["node_uuid"] not in self.nodes:
            return refusal(400, f"Node {body['node_uuid']} could not be found.")
        address = body["address"].lower()
        if address in [port["address"] for port in self.ports.values()]:
            return refusal(409, f"A port with MAC address {address} already exists.")
        return answer(201, self.add_port(**body))

    def _delete_ports(self, request: Request, uuid: str) -> Answer:
        if self.ports.pop(uuid, None) is None:
            return refusal(404, f"Port {uuid} could not be found.")
        return Answer(204)


class Keystone(Service):
    """A small Keystone: signs the service in, and knows the tokens and users put into it."""

    url = "http://keystone.test"

    def __init__(self, mock: responses.RequestsMock) -> None:
        super().__init__(mock)
        self.tokens: dict[str, JsonObject] = {SERVICE_TOKEN: _token("bm-shim", ["service"])}
        #: By name. Each has the role admin in the one project.
        self.passwords: dict[str, str] = {}
        self.projects: list[JsonObject] = []

    def add_token(
        self, token: str, roles: Iterable[str], *, project: str | None = PROJECT
    ) -> JsonObject:
        """Let somebody in; without a project the token is the system's."""
        self.tokens[token] = _token(token, roles, project=project)
        return self.tokens[token]

    def perform(self, request: Request) -> Answer:
        if request.call == "GET /v3":
            links = [{"rel": "self", "href": f"{self.url}/v3/"}]
            version = {"id": "v3.14", "status": "stable", "links": links}
            return answer(200, {"version": version})
        if request.call == "POST /v3/auth/tokens":
            token = self._sign_in(request.body["auth"])
            if token is None:
                return answer(401, {"error": {"code": 401, "message": "Wrong."}})
            made = answer(201, {"token": self.tokens[token]})
            return made._replace(headers={**made.headers, "X-Subject-Token": token})
        if request.call == "GET /v3/auth/projects":
            return answer(200, {"projects": self.projects})
        found = self.tokens.get(request.headers["X-Subject-Token"])
        if found is None:
            return answer(404, {"error": {"code": 404, "message": "Could not find token."}})
        if request.call == "DELETE /v3/auth/tokens":
            del self.tokens[request.headers["X-Subject-Token"]]
            return Answer(204)
        assert request.call == "GET /v3/auth/tokens"
        return answer(200, {"token": found})

    def _sign_in(self, auth: JsonObject) -> str | None:
        """Return a token; None if Keystone would give none."""
        user = auth["identity"].get("password", {}).get("user", {})
        name = user.get("name", "somebody")
        if name == "bm-shim":
            return SERVICE_TOKEN
        if user and self.passwords.get(name) != user["password"]:
            return None
        token = f"new-t0ken-{len(self.tokens)}"
        self.tokens[token] = _token(name, ["admin"])
        if auth["scope"] == "unscoped":
            for key in ("project", "roles", "catalog"):
                del self.tokens[token][key]
        return token


def _token(user: str, roles: Iterable[str], *, project: str | None = PROJECT) -> JsonObject:
    """The body of a token, with a catalogue."""
    domain = {"id": "default", "name": "Default"}
    catalog = [
        _service("baremetal", Ironic.url),
        _service("identity", f"{Keystone.url}/v3"),
    ]
    now = datetime.now(UTC)
    scope: JsonObject = {"system": {"all": True}}
    if project is not None:
        scope = {"project": {"id": project, "name": f"name-of-{project}", "domain": domain}}
    return scope | {
        "user": {"id": f"id-of-{user}", "name": f"name of {user}", "domain": domain},
        "roles": [{"id": f"id-of-{role}", "name": role} for role in roles],
        "issued_at": now.isoformat(),
        "expires_at": (now + timedelta(hours=1)).isoformat(),
        "methods": ["password"],
        "audit_ids": ["x"],
        "catalog": catalog,
    }


def _service(kind: str, url: str) -> JsonObject:
    endpoints = [
        {"id": interface, "interface": interface, "region": "RegionOne", "url": url}
        for interface in ("public", "internal")
    ]
    return {"id": kind, "type": kind, "name": kind, "endpoints": endpoints}


def _fits(row: JsonObject, query: dict[str, str]) -> bool:
    """Whether a row fits the filters of a query."""
    return (
        query.get("node") in (None, row.get("node_uuid"))
        and query.get("instance_uuid") in (None, row.get("instance_uuid"))
        and ("associated" not in query or row.get("instance_uuid") is not None)
    )


def _shown(row: JsonObject, query: dict[str, str]) -> JsonObject:
    """Return the fields of a row that a query asks for."""
    if query.get("detail") == "True":
        return _masked(row)
    return {name: row.get(name) for name in query["fields"].split(",")}


def _masked(node: JsonObject) -> JsonObject:
    info = {
        key: "******" if "password" in key else value for key, value in node["driver_info"].items()
    }
    return node | {"driver_info": info}
