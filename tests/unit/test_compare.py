# SPDX-License-Identifier: Apache-2.0
"""``bm-shim compare``: what is asked, what differs, and what is said of it."""

import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bm_shim.cmd.compare import compare
from bm_shim.compare import cases, client
from bm_shim.compare.cases import Case, Endpoint
from bm_shim.compare.client import Answer
from bm_shim.compare.difference import Difference, Kind, differences
from bm_shim.compare.errors import CompareError

from .callers_log import logged

TOKEN = "t0ps3cret-t0ken"
NODES = "/v2.1/os-baremetal-nodes"
NODE = {"id": "1be26c0b-03f2-4d2e-ae87-c02d7f33c123", "cpus": "8", "interfaces": []}
UNKNOWN = f"{NODES}/00000000-0000-0000-0000-000000000000"


# What is asked


@pytest.mark.parametrize(
    ("url", "root", "prefix"),
    [
        ("http://nova:8774", "http://nova:8774", None),
        ("http://nova:8774/", "http://nova:8774", None),
        ("https://nova/v2.1/", "https://nova", "/v2.1"),
        ("https://nova/compute/v2.1", "https://nova/compute", "/v2.1"),
        ("http://[2001:db8::1]:8774/v2/p1", "http://[2001:db8::1]:8774", "/v2/p1"),
        ("http://nova/v1.1/p1/", "http://nova", "/v1.1/p1"),
        ("http://nova/v3", "http://nova/v3", None),
    ],
)
def test_endpoints(url: str, root: str, prefix: str | None) -> None:
    assert cases.endpoint(url) == Endpoint(root, prefix)


@pytest.mark.parametrize(
    "url",
    ["", "nova", "nova:8774", "ftp://nova", "http://", "http://a:x", "http://a:0/", "http://[x",
     "http://u:s3cret@nova/v2.1", "http://nova/?a", "http://nova/#a"],
)  # fmt: skip
def test_what_is_no_endpoint(url: str) -> None:
    with pytest.raises(CompareError, match=r"^An endpoint is http") as caught:
        cases.endpoint(url)
    assert "s3cret" not in str(caught.value)


def test_endpoints_with_different_prefixes() -> None:
    root = "http://a"
    assert cases.common_prefix(Endpoint(root), Endpoint(root)) == "/v2.1"
    assert cases.common_prefix(Endpoint(root), Endpoint(root, "/v2/p1")) == "/v2/p1"
    with pytest.raises(CompareError, match=r"/v2/p1 and /v2.1, and so would all answers"):
        cases.common_prefix(Endpoint(root, "/v2/p1"), Endpoint(root, "/v2.1"))


def nova_line(request: str, microversion: str = "2.1") -> bytes:
    return (
        f"2026-11-22 21:47:24.566 71 INFO nova.api.openstack.requestlog [req-1 - -] 192.0.2.1 "
        f'"{request}" status: 200 len: 11 microversion: {microversion} time: 0.25\n'
    ).encode()


@pytest.mark.parametrize(
    ("line", "case"),
    [
        (logged(), Case(NODES)),
        (logged(path=f"{NODES}/a b"), Case(f"{NODES}/a%20b")),
        (logged(path=f"/compute{NODES}/\u00e9%"), Case(f"{NODES}/%E9%25")),
        (logged(microversion="2.9"), Case(NODES, "2.9")),
        (logged(microversion="compute 2.9"), Case(NODES, "compute 2.9")),
        (nova_line(f"GET {NODES}"), Case(NODES)),
        (nova_line(f"GET {NODES}/4?a=b", "2.30"), Case(f"{NODES}/4?a=b", "2.30")),
        (nova_line("GET /v2/p1/os-baremetal-nodes.json"), Case("/v2/p1/os-baremetal-nodes.json")),
        (
            b'192.0.2.1 - - [22/Nov/2026:21:47:24 +0000] "GET /v2.1/os-baremetal-nodes HTTP/1.1" '
            b'200 11 "-" "curl/7.29.0"\n',
            Case(NODES),
        ),
    ],
)
def test_reads_in_a_log(line: bytes, case: Case) -> None:
    assert cases.of_log([line], 9) == [case]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\n",
        logged(method="POST"),
        logged(method="DELETE", path=f"{NODES}/1"),
        logged(path="/v2.1/extensions/os-baremetal-nodes"),
        logged(path="/v2.1/servers"),
        nova_line(f"POST {NODES}"),
        nova_line(f"DELETE {NODES}/1"),
        nova_line("GET /v2.1/servers/detail"),
        nova_line("GET /v2.1/os-baremetal-nodesx"),
        logged(method="POST", user_agent=f'"GET {NODES} HTTP/1.1"'),
    ],
)
def test_what_a_log_holds_beside_reads(line: bytes) -> None:
    assert cases.of_log([line], 9) == []


def test_each_read_of_a_log_is_sent_once() -> None:
    lines = [logged(path=f"{NODES}/{i % 4}") for i in range(20)]
    assert [case.path[-1] for case in cases.of_log(lines, 3)] == ["0", "1", "2"]
    assert len(cases.of_log(lines, 9)) == 4


def test_standard_requests_of_the_old_prefixes_have_no_microversion() -> None:
    assert any(case.microversion for case in cases.standard("/v2.1"))
    assert not any(case.microversion for case in cases.standard("/v2/p1"))
    assert Case("/v2/", with_token=False) in cases.standard("/v2/p1")


# What differs


def answer(
    body: object = None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, headers or {}, text, 0.1)


def found(old: object, new: object) -> list[tuple[str, str, object, object]]:
    made = differences(answer(old), answer(new))
    return [(each.kind.value, each.where, each.old, each.new) for each in made]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": 2}, [("value", "a", 1, 2)]),
        ({"a": 1}, {"a": "1"}, [("type", "a", 1, "1")]),
        ({"a": 1}, {"a": 1.0}, [("type", "a", 1, 1.0)]),
        ({"a": 1}, {"a": True}, [("type", "a", 1, True)]),
        ({"a": None}, {"a": ""}, [("type", "a", None, "")]),
        ({"a": {"b": 1}}, {"a": {}}, [("missing", "a.b", 1, None)]),
        ({"a": {}}, {"a": {"b": None}}, [("added", "a.b", None, None)]),
        ([1, 2], [1, 3], [("value", "[1]", 2, 3)]),
        ([1, 2], [1], [("missing", "[1]", 2, None)]),
        ([], {}, [("type", "", [], {})]),
        (
            {"n": [{"id": 1, "x": 1}, {"id": 2, "x": 1}]},
            {"n": [{"id": 2, "x": 1}, {"id": 1, "x": 2}]},
            [("order", "n", ["1", "2"], ["2", "1"]), ("value", "n[1].x", 1, 2)],
        ),
        (
            {"n": [{"id": 1}, {"id": 2}]},
            {"n": [{"id": 2}, {"id": 3}]},
            [("missing", "n[1]", {"id": 1}, None), ("added", "n[3]", None, {"id": 3})],
        ),
        # Ids of two eras: the nodes are the same, so is their order.
        (
            {"n": [{"id": 1}, {"id": 2}]},
            {"n": [{"id": "u1"}, {"id": "u2"}]},
            [("type", "n[0].id", 1, "u1"), ("type", "n[1].id", 2, "u2")],
        ),
        (
            {"n": [{"id": 1, "uuid": "u1"}]},
            {"n": [{"id": "u1", "uuid": "u1"}]},
            [("type", "n[u1].id", 1, "u1")],
        ),
        ("<a/>", "<b/>", [("value", "body", "<a/>", "<b/>")]),
        ("<a/>", {"a": 1}, [("value", "body", "<a/>", '{"a": 1}')]),
        ("", "", []),
    ],
)
def test_bodies(old: object, new: object, expected: list[object]) -> None:
    assert found(old, new) == expected


@pytest.mark.parametrize("depth", [600, 100_000])
def test_a_body_that_is_nested_beyond_reason(depth: int) -> None:
    bodies = [f"{'[' * depth}{i}{']' * depth}" for i in range(2)]
    made = differences(*(Answer(200, {}, body, 0.1) for body in bodies))
    assert [(each.kind, each.where) for each in made] == [(Kind.VALUE, "body")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"content-type": "text/html"}, {"content-type": "text/html"}, []),
        ({"content-type": "a"}, {"content-type": "A"}, [("value", "content-type", "a", "A")]),
        ({"x": "1"}, {}, [("missing", "x", "1", None)]),
        ({}, {"x": "1"}, [("added", "x", None, "1")]),
        ({"vary": "A, B"}, {"vary": "B,A"}, []),
        ({"date": "1"}, {"server": "2", "connection": "close", "content-length": "3"}, []),
        ({"x-compute-request-id": "1"}, {"x-compute-request-id": "2"}, []),
        ({"x-compute-request-id": "1"}, {}, [("missing", "x-compute-request-id", "1", None)]),
        ({}, {"deprecation": "@1", "sunset": "x", "link": "y"}, []),
        ({"set-cookie": "s3cret"}, {}, [("missing", "set-cookie", "***", None)]),
    ],
)
def test_headers(old: dict[str, str], new: dict[str, str], expected: list[object]) -> None:
    made = differences(answer(headers=old), answer(headers=new))
    assert [
        (each.kind, each.where.removeprefix("header "), each.old, each.new) for each in made
    ] == expected


def test_the_status_comes_first() -> None:
    made = differences(answer({"a": 1}, 200), answer({"b": 1}, 404))
    assert made[0] == Difference(Kind.STATUS, "status", 200, 404)
    assert [each.kind for each in made[1:]] == [Kind.MISSING, Kind.ADDED]


def test_no_secret_of_a_body_is_shown() -> None:
    node = {"id": 1, "pm_password": "s3cret", "extra": {"Token": ["s3cret"]}}
    for old, new in (
        (node, {"id": 1}),
        ({"nodes": []}, {"nodes": [node]}),
        (node, node | {"pm_password": "s3cret2"}),
        (node, node | {"pm_password": None}),
        ({"token": {"id": "s3cret"}}, {"token": {"id": "s3cret2"}}),
        ('<node pm_password="s3cret">', ""),
    ):
        made = found(old, new)
        assert made
        assert "s3cret" not in str(made)


# The command, with two servers


@dataclass
class Server:
    """Answers what it is told to, and keeps what it was asked."""

    answers: dict[str, Any] = field(default_factory=dict)
    seen: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    url: str = ""

    def nodes(self, *nodes: Mapping[str, object]) -> None:
        """Serve these nodes."""
        self.answers[NODES] = {"nodes": list(nodes)}
        for node in nodes:
            self.answers[f"{NODES}/{node['id']}"] = {"node": node}


@pytest.fixture
def serve() -> Iterator[Callable[[], Server]]:
    servers: list[ThreadingHTTPServer] = []

    def start() -> Server:
        state = Server()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                state.seen.append((self.command, self.path, dict(self.headers)))
                body = state.answers.get(self.path.partition("?")[0])
                if isinstance(body, list):
                    body = body.pop(0) if len(body) > 1 else body[0]
                if callable(body):
                    body(self)
                    return
                data = json.dumps({"self": state.url} if body is None else body).encode()
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        return state

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def old(serve: Callable[[], Server]) -> Server:
    server = serve()
    server.nodes(NODE)
    return server


@pytest.fixture
def new(serve: Callable[[], Server]) -> Server:
    server = serve()
    server.nodes(NODE)
    return server


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


class Run:
    """Runs the command for two servers."""

    def __init__(self, old: Server, new: Server, token_file: Path) -> None:
        self.urls = [old.url, new.url]
        self.token = ["--token-file", str(token_file)]

    def __call__(self, *arguments: str | Path) -> Result:
        words = [*self.urls, *self.token, *map(str, arguments)]
        result = CliRunner().invoke(compare, words)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert TOKEN not in result.output
        return result

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self("--format", "json", *arguments).stdout)


@pytest.fixture
def run(old: Server, new: Server, token_file: Path) -> Run:
    return Run(old, new, token_file)


def test_the_same(run: Run, old: Server, new: Server) -> None:
    result = run()
    assert result.exit_code == 0
    assert result.output.startswith("10 requests compared, 0 of them differ. Median time: ")
    asked = {(method, path, headers.get("X-Auth-Token")) for method, path, headers in new.seen}
    assert asked == {
        ("GET", "/", None),
        ("GET", "/v2.1/", None),
        ("GET", "/v2.1/extensions", TOKEN),
        ("GET", "/v2.1/extensions/os-baremetal-nodes", TOKEN),
        ("GET", NODES, TOKEN),
        ("GET", NODES, None),
        ("GET", UNKNOWN, TOKEN),
        ("GET", f"{NODES}/{NODE['id']}", TOKEN),
    }
    versions = [headers.get("X-OpenStack-Nova-API-Version") for _, _, headers in new.seen]
    assert sorted(filter(None, versions)) == ["2.35", "2.36"]
    assert all(h["User-Agent"].startswith("bm-shim-compare/") for _, _, h in old.seen + new.seen)


def test_differences_are_shown_and_counted(run: Run, old: Server, new: Server) -> None:
    old.nodes(*({"id": f"u{i}", "cpus": "8"} for i in range(30)))
    new.nodes(*({"id": f"u{i}", "cpus": 8, "x": None} for i in range(30)))
    result = run("--nodes", "3")
    assert result.exit_code == 1
    rows = [[c.strip() for c in row.split("|")[1:-1]] for row in result.output.splitlines()]
    assert [row for row in rows if len(row) == 6][1:] == [
        [f"GET {NODES}", "type", "nodes[*].cpus", "120", '"8"', "8"],
        [f"GET {NODES}", "added", "nodes[*].x", "120", "-", "null"],
        [f"GET {NODES}/u0", "type", "node.cpus", "3", '"8"', "8"],
        [f"GET {NODES}/u0", "added", "node.x", "3", "-", "null"],
    ]
    assert "12 requests compared, 7 of them differ." in result.output


def test_json(run: Run, new: Server) -> None:
    new.nodes(NODE | {"cpus": "9"})
    made = run.json()
    (shown,) = (r for r in made.pop("requests") if r["request"].endswith(str(NODE["id"])))
    old_time, new_time = shown.pop("seconds")
    assert 0 <= old_time < 5
    assert 0 <= new_time < 5
    assert shown == {
        "request": f"GET {NODES}/{NODE['id']}",
        "microversion": None,
        "token": True,
        "status": [200, 200],
        "differences": [{"kind": "value", "where": "node.cpus", "old": "8", "new": "9"}],
        "error": None,
    }
    assert made == {
        "version": 1,
        "old": run.urls[0],
        "new": run.urls[1],
        "exit_status": 1,
        "stopped": None,
    }


def test_what_changes_meanwhile_is_no_difference(run: Run, new: Server) -> None:
    passing = NODE | {"cpus": "9"}
    new.answers[f"{NODES}/{NODE['id']}"] = [{"node": passing}, {"node": NODE}]
    assert run().exit_code == 0


def test_reads_of_a_log(run: Run, old: Server, new: Server, tmp_path: Path) -> None:
    log, packed = tmp_path / "a.log", tmp_path / "b.log.gz"
    log.write_bytes(logged() + logged(method="DELETE", path=f"{NODES}/1"))
    packed.write_bytes(gzip.compress(logged(path=f"{NODES}/a b") + logged()))
    assert run("--log", log, "--log", packed).exit_code == 0
    assert [(method, path) for method, path, _ in new.seen] == [
        ("GET", NODES), ("GET", f"{NODES}/a%20b"),
    ]  # fmt: skip


def test_nothing_but_get_is_ever_sent(run: Run, old: Server, new: Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    methods = ("POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get")
    log.write_bytes(b"".join(logged(method=method) for method in methods) + logged())
    run()
    run("--log", log)
    assert {method for method, _, _ in old.seen + new.seen} == {"GET"}


def test_a_redirect_is_not_followed(run: Run, old: Server, new: Server) -> None:
    """It could lead the token elsewhere."""

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"{old.url}/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    new.answers[NODES] = [redirect]
    assert run().exit_code == 1
    assert "/elsewhere" not in [path for _, path, _ in old.seen + new.seen]


def test_a_netrc_adds_no_password(
    run: Run, new: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    run()
    assert not any("Authorization" in headers for _, _, headers in new.seen)


# What could not be compared


def refuse_token(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(401)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def test_the_same_refusal_proves_nothing(run: Run, old: Server, new: Server) -> None:
    old.answers[NODES] = new.answers[NODES] = [refuse_token]
    result = run()
    assert result.exit_code == 2
    assert "No read of nodes succeeded on both servers, so nothing is proven." in result.output


def test_nobody_there(run: Run) -> None:
    run.urls[1] = "http://127.0.0.1:1"
    result = run()
    assert result.exit_code == 2
    assert "GET / (no token): http://127.0.0.1:1 does not answer: no connection" in result.output
    assert result.output.rstrip().endswith("Stopped after 5 requests without an answer.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "does not answer: Could not find a suitable TLS CA certificate bundle"),
        (["--insecure"], "does not answer: no connection"),
    ],
)
def test_certificates_of_the_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    """What is asked of the command goes before it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent/ca.pem")
    run.urls[1] = "https://127.0.0.1:1"
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_a_version_in_a_log_that_no_header_can_hold(run: Run, new: Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(logged(microversion="2.\u2603") + logged())
    result = run("--log", log)
    assert result.exit_code == 2
    assert "'latin-1' codec can't encode" in result.output
    assert [path for _, path, _ in new.seen] == [NODES]


def slowly(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def never(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1)


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [(slowly, "was still answering after 0.3 s"), (never, "it took too long")],
)
def test_a_slow_server_does_not_hold_it_up(
    run: Run, new: Server, behaviour: object, message: str
) -> None:
    new.answers[f"{NODES}/{NODE['id']}"] = [behaviour]
    began = time.monotonic()
    result = run("--timeout", "0.3")
    assert time.monotonic() - began < 5
    assert result.exit_code == 2
    assert message in result.output


def test_the_deadline_ends_it(run: Run, new: Server) -> None:
    new.answers["/"] = [never]
    result = run("--deadline", "0.5", "--timeout", "1", "--format", "json")
    made = json.loads(result.stdout)
    assert result.exit_code == made["exit_status"] == 2
    assert made["stopped"] == "Stopped after 0.5 s; not everything has been asked."
    assert [each["request"] for each in made["requests"]] == ["GET /"]


def test_an_answer_without_end(run: Run, new: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LARGEST", 1 << 20)
    new.answers[NODES] = {"nodes": "x" * (2 << 20)}
    result = run()
    assert result.exit_code == 2
    assert "answers more than 1 MiB." in result.output


@pytest.mark.parametrize("content", ["", " \n", "two words", "t\u00f6ken", "a\x00b"])
def test_a_file_that_holds_no_token(run: Run, old: Server, token_file: Path, content: str) -> None:
    token_file.write_text(content)
    result = run()
    assert result.exit_code == 2
    assert result.stderr == f"Error: {token_file} holds no token.\n"
    assert old.seen == []


def test_a_log_without_reads(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"nothing\n")
    result = run("--log", log)
    assert result.exit_code == 2
    assert result.stderr == "Error: The logs hold no GET request for bare metal nodes.\n"


def test_nobody_to_sign_in_as(run: Run) -> None:
    run.token = []
    result = run()
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Whose token is to be sent? Give one of: --os-cloud")


def test_an_account_that_does_not_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.token = []
    for name, value in {
        "OS_AUTH_URL": "http://127.0.0.1:1/v3",
        "OS_USERNAME": "a",
        "OS_PASSWORD": TOKEN,
        "OS_PROJECT_NAME": "p",
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
    }.items():
        monkeypatch.setenv(name, value)
    result = run()
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Signing in does not work: Unable to establish")


def test_a_keystone_that_leads_elsewhere(
    run: Run, old: Server, new: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password is for Keystone only."""

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.send_response(307)
        handler.send_header("Location", new.url.replace("127.0.0.1", "localhost"))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    old.answers["/v3/auth/tokens"] = [redirect]
    run.token = []
    for name, value in {
        "OS_AUTH_URL": f"{old.url}/v3",
        "OS_USERNAME": "a",
        "OS_PASSWORD": TOKEN,
        "OS_PROJECT_NAME": "p",
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
    }.items():
        monkeypatch.setenv(name, value)
    result = run()
    assert result.exit_code == 2
    assert "/v3/auth/tokens redirects to http://localhost" in result.stderr
    assert new.seen == []


def test_a_cloud_whose_certificates_are_not_there(
    run: Run, old: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.token = []
    for name, value in {
        "OS_AUTH_URL": "https://127.0.0.1:1/v3",
        "OS_CACERT": "/nonexistent/ca.pem",
        "OS_USERNAME": "a",
        "OS_PASSWORD": TOKEN,
    }.items():
        monkeypatch.setenv(name, value)
    result = run()
    assert result.exit_code == 2
    assert "/nonexistent/ca.pem" in result.stderr
    assert old.seen == []


def test_no_token_where_there_is_no_keystone(
    run: Run, new: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_AUTH_TYPE", "none")
    run.token = []
    assert run().exit_code == 0
    assert not any("X-Auth-Token" in headers for _, _, headers in new.seen)
