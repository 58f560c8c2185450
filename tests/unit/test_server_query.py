# SPDX-License-Identifier: Apache-2.0
"""Which servers a list shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import regex

from bm_shim import server_query
from bm_shim.errors import BadRequest
from bm_shim.model import Instance, ServerQuery, ServerState
from bm_shim.server_query import Page, permitted, select

from .conftest import StubInstances

OWN = StubInstances.own
NOW = datetime(2026, 11, 22, 20, 30, 17, tzinfo=UTC)


def instance(number: int, **values: object) -> Instance:
    uuid = f"00000000-0000-4000-8000-{number:012}"
    return replace(OWN, uuid=uuid, name=f"web-{number}", updated_at=NOW, **values)  # type: ignore[arg-type]


FIVE = [instance(number) for number in range(5)]


def names(page: Page) -> list[str]:
    return [each.name for each in page.instances]


def matching(instances: list[Instance], query: ServerQuery) -> list[str]:
    return names(select(instances, query, 1000))


# Pages


@pytest.mark.parametrize(
    ("limit", "marker", "expected", "more"),
    [
        (None, None, [0, 1, 2], True),
        (2, None, [0, 1], True),
        (5, None, [0, 1, 2], True),
        (0, None, [], False),
        (None, 1, [2, 3, 4], False),
        (2, 1, [2, 3], True),
        (2, 3, [4], False),
        (2, 4, [], False),
    ],
)
def test_pages(limit: int | None, marker: int | None, expected: list[int], more: bool) -> None:
    query = ServerQuery(limit=limit, marker=None if marker is None else FIVE[marker].uuid)
    page = select(FIVE, query, max_limit=3)
    assert page == Page([FIVE[number] for number in expected], more)


def test_pages_hold_what_fits() -> None:
    query = ServerQuery(limit=1, patterns={"name": regex.compile("[13]")})
    first = select(FIVE, query, 1000)
    assert (names(first), first.more) == (["web-1"], True)
    second = select(FIVE, replace(query, marker=first.instances[-1].uuid), 1000)
    assert (names(second), second.more) == (["web-3"], False)


def test_a_marker_need_not_fit() -> None:
    query = ServerQuery(marker=FIVE[2].uuid, patterns={"name": regex.compile("[14]")})
    assert matching(FIVE, query) == ["web-4"]


def test_a_marker_that_is_not_there() -> None:
    with pytest.raises(BadRequest, match=r"^marker \[x\] not found$"):
        select(FIVE, ServerQuery(marker="x"), 1000)


# What fits


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", 5),
        ("web", 5),
        ("^web-[0-2]$", 3),
        ("-4|-3", 2),
        ("eb-1", 1),
        ("WEB", 0),
        ("^eb", 0),
    ],
)
def test_name_is_a_pattern_to_be_found_in_it(pattern: str, expected: int) -> None:
    for name in ("name", "instance_name"):
        query = ServerQuery(patterns={name: regex.compile(pattern)})
        assert len(matching(FIVE, query)) == expected


def test_a_pattern_that_takes_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_query, "PATIENCE", 0.05)
    query = ServerQuery(patterns={"name": regex.compile("(a|aa)+[bc]$")})
    with pytest.raises(BadRequest, match="too long"):
        select([replace(OWN, name="a" * 100)], query, 1000)


@pytest.mark.parametrize(
    "pattern",
    [
        "^web-[0-2]$",
        r"^([a-z]+|db)-\d{2,3}(?:x|y)*(?=z)(?!a)",
        "[0-9a-f]{8}(-[0-9a-f]{4})(-[0-9a-f]{4})-[0-9a-f]{12}",
        "a{999}b{0,}",
        "x" * 255,
    ],
)
def test_patterns_that_are_taken(pattern: str) -> None:
    server_query.check_pattern("name", pattern)
    regex.compile(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        # Each takes gigabytes: to be compiled, or in a second of search.
        "a{1000000000}",
        "a{1,}{1000}{1000}{1000}",
        "(((a{999}){999}){999})",
        "(?R)",
        "((?1))",
        "(?<n>(?&n)?)",
        "(?P<n>(?P>n)?)",
        "(?x)((a{999} ) {999} ) {999}",
        "(a{999})(?#){999}",
        "(server{e<=9})+x",
        "(" * 128 + ")" * 128,
    ],
)
def test_patterns_that_a_process_could_choke_on(pattern: str) -> None:
    with pytest.raises(BadRequest, match=r"^Invalid input for 'name': A pattern has at most "):
        server_query.check_pattern("name", pattern)


def test_status_is_one_of_several() -> None:
    off, broken = ServerState("SHUTOFF", "stopped", None), ServerState("ERROR", "error", None)
    three = [instance(1), instance(2, state=off), instance(3, state=broken)]
    assert matching(three, ServerQuery(status=frozenset({"SHUTOFF", "ERROR"}))) == [
        "web-2",
        "web-3",
    ]
    assert matching(three, ServerQuery(status=frozenset({"SLEEPING"}))) == []


def test_changes_since() -> None:
    second = timedelta(seconds=1)
    query = ServerQuery(changes_since=NOW)
    three = [replace(each, updated_at=NOW + (n - 1) * second) for n, each in enumerate(FIVE[:3])]
    assert matching(three, query) == ["web-1", "web-2"]
    assert matching([replace(OWN, updated_at=None)], query) == []


def test_of_deleted_ones_none_is_remembered() -> None:
    assert matching(FIVE, ServerQuery(deleted=True)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flavor", "baremetal"),
        ("host", "host1"),
        ("node", OWN.node_uuid),
        ("power_state", "1"),
        ("project_id", OWN.project_id),
        ("tenant_id", OWN.project_id),
        ("task_state", "reboot_started"),
        ("uuid", FIVE[0].uuid),
        ("vm_state", "active"),
    ],
)
def test_attributes_must_be_equal(name: str, value: str) -> None:
    rebooting = replace(FIVE[0], state=ServerState("REBOOT", "active", "reboot_started"))
    assert matching([rebooting], ServerQuery(equal={name: value})) == ["web-0"]
    for other in (value[:-1], f"{value} ", value.upper() + "X", ""):
        assert matching([rebooting], ServerQuery(equal={name: other})) == []


def test_nothing_has_what_no_instance_has() -> None:
    """Rather none than all where somebody asks for an address, to delete what has it."""
    for name in ("image", "ip", "ip6", "key_name", "reservation_id", "tags", "tags-any"):
        assert matching(FIVE, ServerQuery(equal={name: "x"})) == []


def test_an_instance_of_nobody_has_no_project() -> None:
    nobodys = replace(OWN, project_id=None, service_host=None)
    for name in ("project_id", "tenant_id", "host"):
        for value in ("", "None", "none"):
            assert matching([nobodys], ServerQuery(equal={name: value})) == []


# Who may ask for what

ALL = ServerQuery(
    limit=3,
    marker="m",
    status=frozenset({"ACTIVE"}),
    changes_since=NOW,
    deleted=True,
    patterns={name: regex.compile("x") for name in server_query.PATTERNS},
    equal=dict.fromkeys(server_query.ATTRIBUTES, "x"),
)
OPEN = {"flavor", "image", "ip", "ip6", "reservation_id", "tags", "tags-any"}


def test_administrators_may_ask_for_all_attributes() -> None:
    of_all = replace(ALL, all_tenants=True)
    assert permitted(of_all, admin=True) == of_all


def test_projects_count_in_a_list_of_all_projects_only() -> None:
    """As in Nova: otherwise it is the caller's."""
    asked = permitted(ALL, admin=True)
    assert ALL.equal.keys() - asked.equal.keys() == {"project_id", "tenant_id"}
    assert (asked.patterns, asked.deleted) == (ALL.patterns, True)


@pytest.mark.parametrize("all_tenants", [False, True])
def test_of_others_only_some_count(all_tenants: bool) -> None:
    asked = permitted(replace(ALL, all_tenants=all_tenants), admin=False)
    assert asked.patterns.keys() == {"name"}
    assert asked.equal.keys() == OPEN
    assert asked.deleted is False
    same = ("limit", "marker", "status", "changes_since")
    assert [getattr(asked, name) for name in same] == [getattr(ALL, name) for name in same]
    assert asked.all_tenants is all_tenants
