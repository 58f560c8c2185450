# SPDX-License-Identifier: Apache-2.0
"""Where the shim does not answer like nova 34, and why: the table :data:`DIFFERENCES`."""

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import unquote

from .cases import CASES
from .machines import BY_NAME
from .sides import Answer

_JSON = "application/json"
_VENDOR_JSON = "application/vnd.openstack.compute+json"
_FAULT_TYPE = "application/json; charset=UTF-8"

_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    406: "computeFault",
    415: "badMediaType",
    500: "computeFault",
}
_NOT_FOUND = "The resource could not be found."
_FAILED = "The server has either erred or is incapable of performing the requested operation."
_MALFORMED = "Malformed request body"
_MEDIA_TYPE = "Unsupported Content-Type"
_REFUSED = "Command not supported. Please use Ironic command {} to perform this action."
_PROJECT = (
    "Malformed request URL: URL's project_id '{}' doesn't match Context's project_id 'PROJECT'"
)

#: Headers that nova's answers about nodes do not have, and why the shim's do. The bodies are the
#: same all the same.
ADDED_HEADERS = {
    "deprecation": "The API is there so that callers can leave it in their own time.",
    "link": "They should know where to.",
}


def _answer(status: int, content_type: str | None, body: str, version: str | None) -> Answer:
    headers = [] if content_type is None else [("Content-Type", content_type)]
    if version is not None:
        headers += [
            ("OpenStack-API-Version", f"compute {version}"),
            ("X-OpenStack-Nova-API-Version", version),
            ("Vary", "OpenStack-API-Version"),
            ("Vary", "X-OpenStack-Nova-API-Version"),
        ]
    return Answer(status, tuple(headers), body)


def _fault(status: int, message: str, version: str | None = "2.1") -> Answer:
    body = {_NAMES[status]: {"code": status, "message": message}}
    return _answer(status, _FAULT_TYPE, json.dumps(body), version)


def _crash(exception: str, version: str | None = "2.1") -> Answer:
    """Return nova's answer when an exception was not foreseen."""
    message = f"Unexpected API Error. Please contact the administrator\n<class '{exception}'>"
    return _fault(500, message, version)


@dataclass(frozen=True)
class Like:
    """What nova answers to another case."""

    case: str


@dataclass(frozen=True)
class Changed:
    """What nova answers to the case itself, with other texts in place of some of its own."""

    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Difference:
    """Cases in which the shim has another answer, what both answer, and the reason."""

    reason: str
    #: By their names; with the wildcards of file names.
    cases: tuple[str, ...]
    #: None: anything, as long as the shim's expectation makes use of it.
    nova: Answer | Like | None
    shim: Answer | Like | Changed

    def __post_init__(self) -> None:
        assert (self.nova is None) == isinstance(self.shim, Changed)

    def is_about(self, name: str) -> bool:
        """Whether it is about a case."""
        return any(fnmatchcase(name, pattern) for pattern in self.cases)


_PAGE = "404 Not Found\n\nThe resource could not be found.\n\n   "
_NO_ROUTE = _answer(404, "text/plain; charset=UTF-8", _PAGE, None)
_NO_ROUTE_FAULT = _fault(404, _NOT_FOUND, None)
_NO_ROUTE_REASON = "Nova answers unknown paths with a page that old clients crash on or print raw."

_MAXIMUM_REASON = "The API ends at 2.35; so the maximum is 2.35, and the latest version is that."
_MAXIMUM = Changed((("2.104", "2.35"),))
_V2_TEXTS = (
    ('"DEPRECATED"', '"SUPPORTED"'),
    ("2025-07-04T12:00:00Z", "2011-01-21T11:33:21Z"),
)
_JSON_MEDIA_TYPE = (
    '{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2"}'
)
_V2_MEDIA_TYPES = (
    _JSON_MEDIA_TYPE,
    f"{_JSON_MEDIA_TYPE.replace('json', 'xml')}, {_JSON_MEDIA_TYPE}",
)
_JUNO_REASON = "On /v2 the shim is as servers were until Juno, which had no /v2.1."


def _odd_id(exception: str, *names: str) -> list[Difference]:
    return [
        Difference(
            "Nova pastes identifiers into Ironic's path, and fails on what comes back.",
            (name,),
            _crash(exception),
            _fault(404, f"Node {_id_of(name)} could not be found."),
        )
        for name in names
    ]


def _id_of(case: str) -> str:
    return unquote(CASES[case].path.removeprefix("/v2.1/os-baremetal-nodes/"))


def _other_project(case: str, project: str) -> Difference:
    return Difference(
        f"{_JUNO_REASON} Any text could be a project there.",
        (case,),
        _NO_ROUTE,
        _fault(400, _PROJECT.format(project), None),
    )


def _latest(name: str) -> Difference:
    return Difference(
        _MAXIMUM_REASON,
        (f"version-latest-{name}",),
        _fault(404, _NOT_FOUND, "2.104"),
        Like(f"version-2.35-{name}"),
    )


DIFFERENCES: tuple[Difference, ...] = (
    # Paths and methods that are not there.
    Difference(
        _NO_ROUTE_REASON,
        (
            "list-project-admin/v2.1",
            "list-project-ABC/v2.1",
            "list-project-%20/v2.1",
            "list-project-1.0/v2.1",
            "show-slash",
            "show-slash-states",
            "version-*-put",
            "version-*-unknown-path",
            "PUT-node/v2.1",
            "PATCH-node/*",
            "POST-node/*",
            "TRACE-node/*",
            "PROPFIND-node/*",
            "PUT-nodes/*",
            "PATCH-nodes/*",
            "DELETE-nodes/*",
            "GET-action/*",
            "PUT-action/*",
            "DELETE-action/*",
            "path-nodes-slash/*",
            "path-node-slash/*",
            "path-nodes-json/v2.1",
            "path-nodes-html/*",
            "path-node-below/*",
            "path-node-edit/*",
            "path-node-action-json/*",
            "path-upper-case/*",
            "path-unknown/*",
            "path-unknown-deep/*",
            "path-two-projects/*",
            "path-unknown-member/*",
            "path-unknown-post/*",
            "document-v2-project",
            "document-v2-project-post",
            "document-v2-project-slash-post",
            "document-v2.1-project",
            "document-v2.1-project-post",
            "document-v2.1-project-slash-post",
            "document-v2.1-other-project-slash-post",
            "document-v2.1-word-slash",
            "document-v2.1-word-slash-post",
            "extension-post",
            "extension-slash",
            "extensions-slash",
            "extensions-post",
        ),
        _NO_ROUTE,
        _NO_ROUTE_FAULT,
    ),
    Difference(
        _NO_ROUTE_REASON,
        ("path-unknown-application/json/*",),
        _answer(
            404,
            _JSON,
            '{"message": "The resource could not be found.<br /><br />\\n\\n\\n", '
            '"code": "404 Not Found", "title": "Not Found"}',
            None,
        ),
        _NO_ROUTE_FAULT,
    ),
    Difference(
        _NO_ROUTE_REASON,
        ("path-unknown-text/html/*", "path-unknown-[*]/[*]/*"),
        _answer(
            404,
            "text/html; charset=UTF-8",
            "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n"
            "  <h1>404 Not Found</h1>\n  The resource could not be found.<br /><br />\n\n\n\n"
            " </body>\n</html>",
            None,
        ),
        _NO_ROUTE_FAULT,
    ),
    Difference(
        _NO_ROUTE_REASON,
        (
            "HEAD-*",
            "extension-head",
            "document-*-project-head",
            "document-*-project-slash-head",
            "document-v2.1-word-slash-head",
        ),
        _answer(404, "text/html; charset=UTF-8", "", None),
        _answer(404, _FAULT_TYPE, "", None),
    ),
    Difference(
        "OPTIONS is for browsers of other sites, which [cors] has to let in first.",
        ("OPTIONS-*",),
        _answer(200, None, "", None),
        _NO_ROUTE_FAULT,
    ),
    Difference(
        "Documents are read only; nova answers any method there.",
        ("document-root-post",),
        _answer(
            200,
            _JSON,
            '{"versions": [{"id": "v2.0", "status": "DEPRECATED", "version": "", '
            '"min_version": "", "updated": "2025-07-04T12:00:00Z", "links": [{"rel": "self", '
            '"href": "URL/v2/"}]}, {"id": "v2.1", "status": "CURRENT", "version": "2.104", '
            '"min_version": "2.1", "updated": "2013-07-23T11:33:21Z", "links": [{"rel": "self", '
            '"href": "URL/v2.1/"}]}]}',
            None,
        ),
        _NO_ROUTE_FAULT,
    ),
    Difference(
        "Documents are read only; nova answers any method there.",
        ("document-v2.1-post", "document-v2.1-slash-post", "document-v2.1-double-slash-post"),
        _answer(
            200,
            _JSON,
            '{"version": {"id": "v2.1", "status": "CURRENT", "version": "2.104", '
            '"min_version": "2.1", "updated": "2013-07-23T11:33:21Z", "links": [{"rel": "self", '
            '"href": "URL/v2.1/"}, {"rel": "describedby", "type": "text/html", '
            '"href": "http://docs.openstack.org/"}], "media-types": [{"base": '
            '"application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}]}}',
            "2.1",
        ),
        _NO_ROUTE_FAULT,
    ),
    Difference(
        "Documents are read only; nova answers any method there. Below a project, it has them "
        "since Pike; on /v2 the shim is as servers were until Juno.",
        ("document-v2-post", "document-v2-slash-post", "document-v2-project-slash"),
        _answer(
            200,
            _JSON,
            '{"version": {"id": "v2.0", "status": "DEPRECATED", "version": "", '
            '"min_version": "", "updated": "2025-07-04T12:00:00Z", "links": [{"rel": "self", '
            '"href": "URL/v2/"}, {"rel": "describedby", "type": "text/html", '
            f'"href": "http://docs.openstack.org/"}}], "media-types": [{_JSON_MEDIA_TYPE}]}}}}',
            None,
        ),
        _NO_ROUTE_FAULT,
    ),
    # Callers.
    Difference(
        "Old clients cannot read what the token middleware answers.",
        (
            "no-token-[!h]*",
            "bad-token-[!h]*",
            "document-*-project-without-token",
            "document-*-project-slash-without-token",
            "document-v2.1-word-slash-without-token",
        ),
        _answer(
            401,
            _JSON,
            '{"error": {"code": 401, "title": "Unauthorized", '
            '"message": "The request you have made requires authentication."}}',
            None,
        ),
        _fault(401, "The request you have made requires authentication.", None),
    ),
    Difference(
        "Old clients cannot read what the token middleware answers.",
        ("no-token-head", "bad-token-head"),
        _answer(401, _JSON, "", None),
        _answer(401, _FAULT_TYPE, "", None),
    ),
    Difference(
        "Whether the caller may be there is clear before the body is read.",
        ("act-other-project/v2.1",),
        _fault(400, "There is no such action: explode"),
        _fault(400, _PROJECT.format("OTHER-PROJECT")),
    ),
    Difference(
        "Whether the caller may be there is clear before the body is read.",
        ("act-other-project/v2",),
        _fault(400, "There is no such action: explode", None),
        _fault(400, _PROJECT.format("OTHER-PROJECT"), None),
    ),
    # Identifiers.
    Difference(
        "Machines keep the number that they had in nova-baremetal.",
        ("show-integer",),
        _fault(404, "Node 7 could not be found."),
        Like("machine-converted"),
    ),
    Difference(
        "Machines keep the number that they had in nova-baremetal; it took zeros before it, too.",
        ("show-integer-padded",),
        _fault(404, "Node 07 could not be found."),
        Like("machine-converted"),
    ),
    Difference(
        "Names that end with .json are not asked for: Ironic's API may take that for a format.",
        ("machine-by-name-suffixed.json",),
        _answer(
            200,
            _JSON,
            f'{{"node": {{"id": "{BY_NAME["suffixed.json"].uuid}", "interfaces": [], '
            '"host": "IRONIC MANAGED", "task_state": "enroll", "cpus": 8, "memory_mb": 16384, '
            '"disk_gb": 480, "instance_uuid": null}}',
            "2.1",
        ),
        _fault(404, "Node suffixed.json could not be found."),
    ),
    *_odd_id(
        "openstack.exceptions.BadRequestException",
        "show-blank",
        "show-blank-inside",
        "show-blank-after",
        "show-percent",
        "show-plus",
        "show-question-mark",
        "show-quote",
        "show-double-quote",
        "show-angle-brackets",
        "show-umlaut",
        "show-snowman",
        "show-not-utf-8",
        "show-null-byte",
        "show-line-feed",
        "show-semicolon",
        "show-colon",
        "show-at",
        "show-comma",
        "show-equals",
        "show-too-long",
        "show-states",
        "show-validate",
        "show-vendor_passthru",
    ),
    *_odd_id("openstack.exceptions.HttpException", "show-maintenance", "show-management"),
    *_odd_id("AttributeError", "show-dot", "show-dots", "show-dots-bare", "show-detail"),
    # Queries.
    Difference(
        "Nova 30 and later fail on any query, which is a defect.",
        ("query-unknown-list", "query-limit-list", "query-name-only-list"),
        _crash("KeyError"),
        Like("list-v2.1"),
    ),
    Difference(
        "Nova 30 and later fail on any query, which is a defect.",
        ("query-unknown-show", "query-limit-show", "query-name-only-show"),
        _crash("KeyError"),
        Like("show-v2.1"),
    ),
    # Bodies.
    Difference(
        "JSON has no NaN.",
        ("create-nan/v2.1",),
        _fault(400, _REFUSED.format("node-create")),
        _fault(400, _MALFORMED),
    ),
    Difference(
        "JSON has no NaN.",
        ("create-nan/v2/PROJECT",),
        _fault(400, _REFUSED.format("node-create"), None),
        _fault(400, _MALFORMED, None),
    ),
    Difference(
        "JSON has no NaN.",
        ("act-nan",),
        _fault(400, _REFUSED.format("port-create")),
        _fault(400, _MALFORMED),
    ),
    Difference(
        "A body that cannot be read is the client's fault.",
        ("create-not-utf-8", "create-utf-16"),
        _fault(500, _FAILED),
        _fault(400, _MALFORMED),
    ),
    Difference(
        "It is the body that is wrong, not the path.",
        ("act-list-of-one", "act-text-of-one", "act-null", "act-number", "act-true"),
        _fault(404, _NOT_FOUND),
        _fault(400, _MALFORMED),
    ),
    Difference(
        "It is the body that is wrong, not the path.",
        ("act-text-of-one-v2",),
        _fault(404, _NOT_FOUND, None),
        _fault(400, _MALFORMED, None),
    ),
    Difference(
        "The letter case of a media type has no meaning.",
        ("create-type-application/JSON",),
        _fault(415, _MEDIA_TYPE),
        Like("create-type-application/json"),
    ),
    Difference(
        "The letter case of a media type has no meaning.",
        ("act-type-application/JSON",),
        _fault(415, _MEDIA_TYPE),
        Like("act-type-application/json"),
    ),
    Difference(
        "The letter case of a media type has no meaning.",
        ("act-unknown-type-application/JSON",),
        _fault(415, _MEDIA_TYPE),
        Like("act-unknown-type-application/json"),
    ),
    *(
        Difference(
            "There is no body to be of a type.",
            (f"{case}-type-application/xml", f"{case}-type-text/html"),
            _fault(415, _MEDIA_TYPE),
            Like(like),
        )
        for case, like in {
            "list": "list-v2.1",
            "show": "show-v2.1",
            "delete": "delete",
            "create-without-body": "create-without-body/v2.1",
        }.items()
    ),
    # Versions.
    Difference(
        _MAXIMUM_REASON,
        (
            "???-header-2.0",
            "???-header-2.105",
            "???-header-2.999",
            "???-header-3.1",
            "???-header-1.0",
            "???-header-2.99999999999999999999",
            "version-2.999-list",
            "version-2.999-list-[!v]*",
            "version-2.999-show-unknown",
            "version-2.999-create*",
            "version-2.999-delete",
            "version-2.999-act*",
            "version-[!a]*-document",
            "version-[!a]*-document-project",
            "version-2.999-extension",
            "version-2.999-extension-unknown",
            "version-latest-list-other-project",
            "version-latest-create-*",
            "version-latest-act-unknown",
            "version-latest-extension",
            "version-latest-extension-unknown",
            "accept-document-*",
            "query-*-document",
            "document-v2.1",
            "document-v2.1-without-token",
            "document-v2.1-slash",
            "document-v2.1-slash-without-token",
            "document-v2.1-project-slash",
            "document-v2.1-double-slash",
            "document-v2.1-double-slash-without-token",
        ),
        None,
        _MAXIMUM,
    ),
    Difference(
        _MAXIMUM_REASON,
        (
            "old-header-latest",
            "new-header-latest",
            "new-header-several-latest",
            "both-headers-compute latest-2.1",
        ),
        _fault(404, _NOT_FOUND, "2.104"),
        Like("new-header-2.35"),
    ),
    *map(
        _latest,
        ("list", "list-project", "list-member", "show-unknown", "create", "delete", "act"),
    ),
    Difference(
        f"{_MAXIMUM_REASON} And the old API is not deprecated here, it is what this is for.",
        (
            "version-*-document-root",
            "accept-root-[*]/[*]",
            "accept-root-*json",
            "accept-root-text/html",
            "accept-root-garbage",
            "document-root",
            "document-root-without-token",
        ),
        None,
        Changed((*_V2_TEXTS, *_MAXIMUM.texts)),
    ),
    Difference(
        "The old API is not deprecated here, and speaks XML.",
        (
            "version-*-document-v2",
            "document-v2",
            "document-v2-without-token",
            "document-v2-slash",
            "document-v2-slash-without-token",
        ),
        None,
        Changed((*_V2_TEXTS, _V2_MEDIA_TYPES)),
    ),
    # What is as it was until Juno.
    _other_project("list-project-admin/v2", "admin"),
    _other_project("list-project-ABC/v2", "ABC"),
    _other_project("list-project-%20/v2", " "),
    _other_project("list-project-1.0/v2", "1.0"),
    Difference(
        f"{_JUNO_REASON} There was a route for updates.",
        ("PUT-node/v2/PROJECT",),
        _NO_ROUTE,
        _fault(400, "There is no such action: update", None),
    ),
    Difference(
        f"{_JUNO_REASON} Paths could end with a format.",
        ("path-nodes-json/v2/PROJECT",),
        _NO_ROUTE,
        Like("list-v2-project"),
    ),
    Difference(
        f"{_JUNO_REASON} Paths could end with a format.",
        ("path-node-json/v2/PROJECT",),
        _fault(404, f"Node {BY_NAME['three-ports'].uuid}.json could not be found.", None),
        Like("show-v2-project"),
    ),
    Difference(
        f"{_JUNO_REASON} Paths could end with a format.",
        ("path-node-xml/v2/PROJECT",),
        _fault(404, f"Node {BY_NAME['three-ports'].uuid}.xml could not be found.", None),
        _answer(
            200,
            "application/xml",
            "<?xml version='1.0' encoding='UTF-8'?>\n"
            f'<node id="{BY_NAME["three-ports"].uuid}" cpus="8" memory_mb="16384" '
            'instance_uuid="None" task_state="enroll"><interfaces>'
            '<interface address="52:54:00:ab:00:13" /><interface address="52:54:00:ab:00:11" />'
            '<interface address="52:54:00:ab:00:12" /></interfaces></node>',
            None,
        ),
    ),
    Difference(
        f"{_JUNO_REASON} It read XML, and that body is none.",
        ("create-type-application/xml-v2",),
        _fault(415, _MEDIA_TYPE, None),
        _fault(400, _MALFORMED, None),
    ),
    Difference(
        f"{_JUNO_REASON} It had no status for this.",
        ("create-type-text/html-v2",),
        _fault(415, _MEDIA_TYPE, None),
        _fault(400, _MEDIA_TYPE, None),
    ),
    Difference(
        f"{_JUNO_REASON} Its extensions had namespaces and dates of their own.",
        (
            "extension-os-baremetal-nodes/v2",
            "extension-os-baremetal-nodes/v2/*",
            "version-*-extension-v2",
        ),
        None,
        Changed(
            (
                ("/ext/fake_xml", "/ext/baremetal_nodes/api/v2"),
                ("2014-12-03T00:00:00Z", "2013-01-04T00:00:00Z"),
            )
        ),
    ),
    Difference(
        f"{_JUNO_REASON} Its extensions had namespaces and dates of their own.",
        ("extension-os-baremetal-ext-status/v2", "extension-os-baremetal-ext-status/v2/*"),
        None,
        Changed(
            (
                ("/ext/fake_xml", "/ext/baremetal_ext_status/api/v2"),
                ("2014-12-03T00:00:00Z", "2013-08-27T00:00:00Z"),
            )
        ),
    ),
    # Servers.
    Difference(
        _MAXIMUM_REASON,
        ("servers-version-2.36",),
        _answer(200, _JSON, '{"servers": []}', "2.36"),
        _fault(
            406,
            "Version 2.36 is not supported by the API. Minimum is 2.1 and maximum is 2.35.",
            "2.36",
        ),
    ),
    Difference(
        f"{_JUNO_REASON} It did not say which.",
        ("server-unknown-v2",),
        _fault(404, f"Instance {CASES['server-unknown-v2'].path[-36:]} could not be found.", None),
        _fault(404, "Instance could not be found", None),
    ),
    # Accept.
    Difference(
        "The most specific range counts for a type, and the vendor's then weighs more.",
        ("accept-show-application/[*];q=0.5, application/json;q=0.1",),
        Like("show-v2.1"),
        Like("accept-show-application/vnd.openstack.compute+json"),
    ),
    Difference(
        "What is not on /v2.1 spoke XML until Juno.",
        ("accept-root-application/xml",),
        Like("document-root"),
        _answer(
            200,
            "application/xml",
            "<?xml version='1.0' encoding='UTF-8'?>\n"
            '<versions xmlns="http://docs.openstack.org/common/api/v1.0" '
            'xmlns:atom="http://www.w3.org/2005/Atom">'
            '<version id="v2.0" status="SUPPORTED" updated="2011-01-21T11:33:21Z">'
            '<atom:link rel="self" href="URL/v2/" /></version>'
            '<version id="v2.1" status="CURRENT" updated="2013-07-23T11:33:21Z">'
            '<atom:link rel="self" href="URL/v2.1/" /></version></versions>',
            None,
        ),
    ),
)
