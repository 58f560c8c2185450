# SPDX-License-Identifier: Apache-2.0
"""Who may do what: oslo.policy under the rule names that Nova used.

Each operation has a rule of its own. For nodes, its default is the rule that Nova had for the
whole API since 2015, whose default in turn is the one of Grizzly to Juno; so a line of an old nova
policy file, under whichever name it was written, means here what it meant there. Likewise for
servers: behind each rule stands the one of Grizzly to Juno, and behind that the default of today's
Nova.
"""

import logging

from oslo_config import cfg
from oslo_policy import policy

from bm_shim.context import RequestContext
from bm_shim.errors import ConfigurationError, Forbidden

LOG = logging.getLogger(__name__)

_PREFIX = "os_compute_api:os-baremetal-nodes"
LIST = f"{_PREFIX}:list"
SHOW = f"{_PREFIX}:show"
CREATE = f"{_PREFIX}:create"
DELETE = f"{_PREFIX}:delete"
ADD_INTERFACE = f"{_PREFIX}:add_interface"
REMOVE_INTERFACE = f"{_PREFIX}:remove_interface"

_SERVERS = "os_compute_api:servers"
INDEX_SERVERS = f"{_SERVERS}:index"
INDEX_ALL_SERVERS = f"{_SERVERS}:index:get_all_tenants"
DETAIL_SERVERS = f"{_SERVERS}:detail"
DETAIL_ALL_SERVERS = f"{_SERVERS}:detail:get_all_tenants"
SHOW_SERVER = f"{_SERVERS}:show"
REBOOT_SERVER = f"{_SERVERS}:reboot"
DELETE_SERVER = f"{_SERVERS}:delete"

# Nova was project-scoped in all its releases but three; there a system token was required. Both
# are let in.
_SCOPES = ["system", "project"]

_BASE_RULES = [
    policy.RuleDefault(
        "context_is_admin", "role:admin", description="Decides who is an administrator."
    ),
    policy.RuleDefault(
        "admin_api",
        "rule:context_is_admin",
        description="What policy files of Grizzly to Juno call an administrator.",
    ),
    policy.RuleDefault(
        "compute_extension:baremetal_nodes",
        "rule:admin_api",
        description="All operations, under the name of Grizzly to Juno.",
    ),
    policy.RuleDefault(
        _PREFIX,
        "rule:compute_extension:baremetal_nodes",
        description="All operations, under the name of Kilo to Ussuri.",
    ),
    policy.RuleDefault(
        "admin_or_owner",
        "is_admin:True or project_id:%(project_id)s",
        description="What policy files until Ussuri call an administrator or the project itself.",
    ),
    policy.RuleDefault(
        "project_member_api",
        "role:member and project_id:%(project_id)s",
        description="Who may change what belongs to a project.",
    ),
    policy.RuleDefault(
        "project_reader_api",
        "role:reader and project_id:%(project_id)s",
        description="Who may look at what belongs to a project.",
    ),
    policy.RuleDefault(
        "project_member_or_admin",
        "rule:project_member_api or rule:context_is_admin",
        description="Default for changes.",
    ),
    policy.RuleDefault(
        "project_reader_or_admin",
        "rule:project_reader_api or rule:context_is_admin",
        description="Default for looking.",
    ),
    policy.RuleDefault(
        "compute:get_all",
        "rule:project_reader_or_admin",
        description="List servers, under the name of Grizzly to Juno.",
    ),
    policy.RuleDefault(
        "compute:get",
        "rule:project_reader_or_admin",
        description="Show a server, under the name of Grizzly to Juno.",
    ),
    policy.RuleDefault(
        "compute:reboot",
        "rule:project_member_or_admin",
        description="Reboot a server, under the name of Grizzly to Juno.",
    ),
    policy.RuleDefault(
        "compute:delete",
        "rule:project_member_or_admin",
        description="Delete a server, under the name of Grizzly to Juno.",
    ),
]


def _operation(
    name: str, description: str, method: str, path: str
) -> policy.DocumentedRuleDefault:
    return policy.DocumentedRuleDefault(
        name,
        f"rule:{_PREFIX}",
        description,
        [{"method": method, "path": f"/os-baremetal-nodes{path}"}],
        scope_types=_SCOPES,
    )


_OPERATION_RULES = [
    _operation(LIST, "List nodes with their interfaces.", "GET", ""),
    _operation(SHOW, "Show a node.", "GET", "/{node_id}"),
    _operation(CREATE, "Create a node.", "POST", ""),
    _operation(DELETE, "Delete a node and its interfaces.", "DELETE", "/{node_id}"),
    _operation(
        ADD_INTERFACE,
        "Add an interface to a node.",
        "POST",
        "/{node_id}/action (add_interface)",
    ),
    _operation(
        REMOVE_INTERFACE,
        "Remove an interface from a node.",
        "POST",
        "/{node_id}/action (remove_interface)",
    ),
]


def _server_operation(
    name: str, default: str, description: str, *routes: tuple[str, str]
) -> policy.DocumentedRuleDefault:
    operations: list[policy.Operation] = [
        {"method": method, "path": path} for method, path in routes
    ]
    return policy.DocumentedRuleDefault(
        name, f"rule:{default}", description, operations, scope_types=_SCOPES
    )


# Whatever they say, only administrators meet servers of other projects one by one.
_SERVER_RULES = [
    _server_operation(
        INDEX_SERVERS, "compute:get_all", "List the project's servers.", ("GET", "/servers")
    ),
    # Not behind compute:get_all_tenants, which was open to everybody in the files of the day, and
    # did not show them more than their own.
    _server_operation(
        INDEX_ALL_SERVERS, "admin_api", "List the servers of all projects.", ("GET", "/servers")
    ),
    _server_operation(
        DETAIL_SERVERS,
        "compute:get_all",
        "List the project's servers with details.",
        ("GET", "/servers/detail"),
    ),
    _server_operation(
        DETAIL_ALL_SERVERS,
        "admin_api",
        "List the servers of all projects with details.",
        ("GET", "/servers/detail"),
    ),
    _server_operation(
        SHOW_SERVER,
        "compute:get",
        "Show a server, or the flavor of servers.",
        ("GET", "/servers/{server_id}"),
        ("GET", "/flavors/{flavor_id}"),
    ),
    _server_operation(
        REBOOT_SERVER,
        "compute:reboot",
        "Reboot a server.",
        ("POST", "/servers/{server_id}/action (reboot)"),
    ),
    _server_operation(
        DELETE_SERVER, "compute:delete", "Delete a server.", ("DELETE", "/servers/{server_id}")
    ),
]


def list_rules() -> list[policy.RuleDefault]:
    """Return all rules, for the oslo.policy tools."""
    return [*_BASE_RULES, *_OPERATION_RULES, *_SERVER_RULES]


class Policy:
    """Answers whether a caller may do something, as the policy file and the defaults say.

    :raises ConfigurationError: the file that the configuration names is not there. oslo.policy
        would go on with the defaults, which may let in more than the file does
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.enforcer = policy.Enforcer(conf)
        self.enforcer.register_defaults(list_rules())
        file = conf.oslo_policy.policy_file
        if conf.find_file(file) is None and not _is_default(conf):
            raise ConfigurationError(f"[oslo_policy] policy_file: there is no {file}.")

    def is_admin(self, context: RequestContext) -> bool:
        """Whether the caller is an administrator."""
        self._read_again()
        credentials = dict(context.to_policy_values())
        return bool(self.enforcer.authorize("context_is_admin", {}, credentials))

    def authorize(self, context: RequestContext, rule: str, project_id: str | None = None) -> None:
        """Let the caller pass.

        :param project_id: the project that it is about; None: the caller's own, as in Nova
        :raises Forbidden: with the message that Nova had
        """
        credentials = dict(context.to_policy_values())
        # Old policy files say is_admin:True where newer ones say role:admin.
        credentials["is_admin"] = self.is_admin(context)
        target = {"project_id": project_id or context.project_id, "user_id": context.user_id}
        # A caller without a project is not of the same project as a machine without one.
        known = {name: value for name, value in target.items() if value is not None}
        try:
            allowed = self.enforcer.authorize(rule, known, credentials)
        except policy.InvalidScope:
            allowed = False
        if not allowed:
            raise Forbidden(f"Policy doesn't allow {rule} to be performed.")

    def _read_again(self) -> None:
        """Read the file if it was changed.

        The enforcer fails for the one caller who comes next after a file became no policy, and
        goes on with the rules of before. Where there are none, it fails for everybody.
        """
        try:
            self.enforcer.load_rules()
        except Exception as error:
            LOG.error("The policy file cannot be read, so the rules of before hold: %s", error)


def _is_default(conf: cfg.ConfigOpts) -> bool:
    found = conf.get_location("policy_file", "oslo_policy")
    return found is None or found.location in (
        cfg.Locations.opt_default,
        cfg.Locations.set_default,
    )


def get_enforcer() -> policy.Enforcer:
    """Return an enforcer with our rules, for the oslo.policy tools.

    The command line is theirs, so none is read.
    """
    conf = cfg.CONF
    conf([], project="bm-shim")
    return Policy(conf).enforcer
