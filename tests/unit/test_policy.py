# SPDX-License-Identifier: Apache-2.0
"""Who may do what, by default and by policy files old and new."""

import json
from pathlib import Path

import pytest

from bm_shim import policy
from bm_shim.context import RequestContext
from bm_shim.errors import ConfigurationError, Forbidden
from bm_shim.policy import Policy

from .conftest import MakeConf

OPERATIONS = [
    "os_compute_api:os-baremetal-nodes:list",
    "os_compute_api:os-baremetal-nodes:show",
    "os_compute_api:os-baremetal-nodes:create",
    "os_compute_api:os-baremetal-nodes:delete",
    "os_compute_api:os-baremetal-nodes:add_interface",
    "os_compute_api:os-baremetal-nodes:remove_interface",
]

ADMIN = RequestContext(user_id="a", roles=["admin"], project_id="p")
SYSTEM_ADMIN = RequestContext(user_id="a", roles=["admin"], system_scope="all")
DOMAIN_ADMIN = RequestContext(user_id="a", roles=["admin"], domain_id="d")
MEMBER = RequestContext(user_id="m", roles=["member", "reader"], project_id="p")
SYSTEM_MEMBER = RequestContext(user_id="m", roles=["member"], system_scope="all")
NO_ROLE = RequestContext(user_id="n", roles=[])
BOSS = RequestContext(user_id="b", roles=["boss"], project_id="p")


@pytest.fixture
def default(make_conf: MakeConf) -> Policy:
    return Policy(make_conf())


def from_file(make_conf: MakeConf, file: Path, **rules: str) -> Policy:
    file.write_text(json.dumps(rules))
    return Policy(make_conf({"oslo_policy": {"policy_file": file}}))


def may(policy: Policy, context: RequestContext, rule: str) -> bool:
    try:
        policy.authorize(context, rule)
    except Forbidden:
        return False
    return True


def all_that(policy: Policy, context: RequestContext) -> list[str]:
    return [rule for rule in OPERATIONS if may(policy, context, rule)]


@pytest.mark.parametrize("context", [ADMIN, SYSTEM_ADMIN])
def test_administrators_may_do_everything(default: Policy, context: RequestContext) -> None:
    assert all_that(default, context) == OPERATIONS


@pytest.mark.parametrize("context", [MEMBER, SYSTEM_MEMBER, DOMAIN_ADMIN, NO_ROLE, BOSS])
def test_others_may_do_nothing(default: Policy, context: RequestContext) -> None:
    assert all_that(default, context) == []


@pytest.mark.parametrize("rule", OPERATIONS)
def test_the_refusal_has_novas_words(default: Policy, rule: str) -> None:
    with pytest.raises(Forbidden) as caught:
        default.authorize(MEMBER, rule)
    assert caught.value.message == f"Policy doesn't allow {rule} to be performed."


# Servers

SERVER_OPERATIONS = [
    "os_compute_api:servers:index",
    "os_compute_api:servers:index:get_all_tenants",
    "os_compute_api:servers:detail",
    "os_compute_api:servers:detail:get_all_tenants",
    "os_compute_api:servers:show",
    "os_compute_api:servers:reboot",
    "os_compute_api:servers:delete",
]
READING = [SERVER_OPERATIONS[0], SERVER_OPERATIONS[2], SERVER_OPERATIONS[4]]
CHANGING = SERVER_OPERATIONS[5:]
READER = RequestContext(user_id="r", roles=["reader"], project_id="p")
SYSTEM_READER = RequestContext(user_id="r", roles=["reader"], system_scope="all")


def all_with(policy: Policy, context: RequestContext, project_id: str | None = None) -> list[str]:
    """Return what somebody may do with the servers of a project; None: the own one."""

    def may_with(rule: str) -> bool:
        try:
            policy.authorize(context, rule, project_id)
        except Forbidden:
            return False
        return True

    return [rule for rule in SERVER_OPERATIONS if may_with(rule)]


@pytest.mark.parametrize(
    ("context", "own", "others"),
    [
        (ADMIN, SERVER_OPERATIONS, SERVER_OPERATIONS),
        (SYSTEM_ADMIN, SERVER_OPERATIONS, SERVER_OPERATIONS),
        (MEMBER, READING + CHANGING, []),
        (READER, READING, []),
        # No project, so no server is theirs.
        (SYSTEM_MEMBER, [], []),
        (SYSTEM_READER, [], []),
        (DOMAIN_ADMIN, [], []),
        (NO_ROLE, [], []),
        (BOSS, [], []),
    ],
)
def test_who_may_do_what_with_servers(
    default: Policy, context: RequestContext, own: list[str], others: list[str]
) -> None:
    assert all_with(default, context) == own
    assert all_with(default, context, "another") == others


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("compute:get_all", READING[:2]),
        ("compute:get", READING[2:]),
        ("compute:reboot", CHANGING[:1]),
        ("compute:delete", CHANGING[1:]),
        ("compute:get_all_tenants", []),
        *((name, [name]) for name in SERVER_OPERATIONS),
    ],
)
def test_names_for_operations_on_servers(
    make_conf: MakeConf, tmp_path: Path, name: str, meant: list[str]
) -> None:
    """The first five are those of Grizzly to Juno."""
    found = from_file(make_conf, tmp_path / "policy.yaml", **{name: "role:boss"})
    assert all_with(found, BOSS) == meant
    assert all_with(found, ADMIN) == [rule for rule in SERVER_OPERATIONS if rule not in meant]


def test_a_rule_of_admin_or_owner(make_conf: MakeConf, tmp_path: Path) -> None:
    """The default of Grizzly to Ussuri, which old files name."""
    found = from_file(
        make_conf, tmp_path / "policy.yaml", **{"compute:delete": "rule:admin_or_owner"}
    )
    for context, project_id, allowed in [
        (NO_ROLE, None, False),
        (BOSS, None, True),
        (BOSS, "another", False),
        (ADMIN, "another", True),
        (SYSTEM_MEMBER, None, False),
    ]:
        assert (policy.DELETE_SERVER in all_with(found, context, project_id)) is allowed


@pytest.mark.parametrize(("context", "expected"), [(ADMIN, True), (MEMBER, False), (BOSS, False)])
def test_who_is_an_administrator(default: Policy, context: RequestContext, expected: bool) -> None:
    assert default.is_admin(context) is expected


def test_the_operations_have_novas_names() -> None:
    assert OPERATIONS == [
        policy.LIST,
        policy.SHOW,
        policy.CREATE,
        policy.DELETE,
        policy.ADD_INTERFACE,
        policy.REMOVE_INTERFACE,
    ]


@pytest.mark.parametrize(
    "name", ["compute_extension:baremetal_nodes", "os_compute_api:os-baremetal-nodes"]
)
def test_the_old_names_mean_all_operations(make_conf: MakeConf, tmp_path: Path, name: str) -> None:
    found = from_file(make_conf, tmp_path / "policy.yaml", **{name: "role:boss"})
    assert all_that(found, BOSS) == OPERATIONS
    assert all_that(found, ADMIN) == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_new_names_mean_one_operation(make_conf: MakeConf, tmp_path: Path, name: str) -> None:
    found = from_file(make_conf, tmp_path / "policy.yaml", **{name: "role:boss"})
    assert all_that(found, BOSS) == [name]
    assert all_that(found, ADMIN) == [rule for rule in OPERATIONS if rule != name]


def test_the_newer_name_wins(make_conf: MakeConf, tmp_path: Path) -> None:
    found = from_file(
        make_conf,
        tmp_path / "policy.yaml",
        **{
            "compute_extension:baremetal_nodes": "!",
            "os_compute_api:os-baremetal-nodes": "role:boss",
            "os_compute_api:os-baremetal-nodes:list": "",
        },
    )
    assert all_that(found, MEMBER) == [policy.LIST]
    assert all_that(found, BOSS) == OPERATIONS


def test_admin_api_as_redefined(make_conf: MakeConf, tmp_path: Path) -> None:
    found = from_file(make_conf, tmp_path / "policy.yaml", admin_api="role:boss")
    assert all_that(found, BOSS) == OPERATIONS
    assert all_that(found, ADMIN) == []


@pytest.mark.parametrize("file", ["policy.json", "policy.yaml"])
def test_a_policy_file_of_grizzly(make_conf: MakeConf, tmp_path: Path, file: str) -> None:
    """The lines of the baremetal API as nova 2013.1 shipped them."""
    found = from_file(
        make_conf,
        tmp_path / file,
        **{
            "context_is_admin": "role:admin",
            "admin_or_owner": "is_admin:True or project_id:%(project_id)s",
            "default": "rule:admin_or_owner",
            "admin_api": "is_admin:True",
            "compute_extension:baremetal_nodes": "rule:admin_api",
        },
    )
    assert all_that(found, ADMIN) == OPERATIONS
    assert all_that(found, SYSTEM_ADMIN) == OPERATIONS
    assert all_that(found, MEMBER) == []


def test_context_is_admin_decides_what_is_admin_means(make_conf: MakeConf, tmp_path: Path) -> None:
    found = from_file(
        make_conf,
        tmp_path / "policy.yaml",
        context_is_admin="role:boss",
        admin_api="is_admin:True",
    )
    assert all_that(found, BOSS) == OPERATIONS
    assert all_that(found, ADMIN) == []


def test_the_default_rule_of_a_file_opens_nothing(make_conf: MakeConf, tmp_path: Path) -> None:
    found = from_file(make_conf, tmp_path / "policy.yaml", default="")
    assert all_that(found, MEMBER) == []


def test_an_open_rule_lets_in_everybody_but_domain_tokens(
    make_conf: MakeConf, tmp_path: Path
) -> None:
    found = from_file(make_conf, tmp_path / "policy.yaml", **{policy.LIST: "@"})
    for context in (MEMBER, SYSTEM_MEMBER, NO_ROLE):
        assert all_that(found, context) == [policy.LIST]
    assert all_that(found, DOMAIN_ADMIN) == []


def test_a_reader_of_the_system_can_be_let_in(make_conf: MakeConf, tmp_path: Path) -> None:
    found = from_file(
        make_conf, tmp_path / "policy.yaml", **{policy.SHOW: "role:reader and system_scope:all"}
    )
    reader = RequestContext(user_id="r", roles=["reader"], system_scope="all")
    assert all_that(found, reader) == [policy.SHOW]
    assert all_that(found, MEMBER) == []


def test_a_changed_file_is_read_again(make_conf: MakeConf, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    found = from_file(make_conf, file, **{policy.LIST: "role:boss"})
    assert may(found, BOSS, policy.LIST)
    file.write_text(json.dumps({policy.LIST: "!", policy.SHOW: "role:boss"}))
    assert all_that(found, BOSS) == [policy.SHOW]


@pytest.mark.parametrize("text", ['"a": "b', "- a", '"a": 5'])
def test_a_file_that_is_no_policy_any_more_changes_nothing(
    make_conf: MakeConf, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    file = tmp_path / "policy.yaml"
    found = from_file(make_conf, file, **{policy.LIST: "role:boss"})
    assert all_that(found, BOSS) == [policy.LIST]
    file.write_text(text)
    assert all_that(found, BOSS) == [policy.LIST]
    (line,) = (each for each in caplog.messages if each.startswith("The policy file cannot be"))
    assert "so the rules of before hold" in line


def test_a_file_that_never_was_a_policy_lets_nobody_in(
    make_conf: MakeConf, tmp_path: Path
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("- a")
    found = Policy(make_conf({"oslo_policy": {"policy_file": file}}))
    for _ in range(2):
        with pytest.raises(AttributeError):
            found.authorize(ADMIN, policy.LIST)


def test_a_file_that_is_not_there_is_told_at_start(make_conf: MakeConf) -> None:
    with pytest.raises(ConfigurationError, match=r"policy_file: there is no /nowhere/p\.yaml"):
        Policy(make_conf({"oslo_policy": {"policy_file": "/nowhere/p.yaml"}}))


def test_policies_of_two_configurations_are_independent(
    make_conf: MakeConf, tmp_path: Path
) -> None:
    first = from_file(make_conf, tmp_path / "1.yaml", **{policy.LIST: "role:boss"})
    second = from_file(make_conf, tmp_path / "2.yaml", **{policy.SHOW: "role:boss"})
    assert all_that(first, BOSS) == [policy.LIST]
    assert all_that(second, BOSS) == [policy.SHOW]


def test_the_tools_get_an_enforcer_that_knows_all_rules() -> None:
    enforcer = policy.get_enforcer()
    assert set(enforcer.registered_rules) == {rule.name for rule in policy.list_rules()}
