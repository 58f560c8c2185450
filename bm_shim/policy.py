# SPDX-License-Identifier: Apache-2.0
"""Who may do what: oslo.policy under the rule names that Nova used.

Each operation has a rule of its own. Its default is the rule that Nova had for the whole API
since 2015, whose default in turn is the one of Grizzly to Juno; so a line of an old nova policy
file, under whichever name it was written, means here what it meant there.
"""

from oslo_config import cfg
from oslo_policy import policy

from bm_shim.context import RequestContext
from bm_shim.errors import Forbidden

_PREFIX = "os_compute_api:os-baremetal-nodes"
LIST = f"{_PREFIX}:list"
SHOW = f"{_PREFIX}:show"
CREATE = f"{_PREFIX}:create"
DELETE = f"{_PREFIX}:delete"
ADD_INTERFACE = f"{_PREFIX}:add_interface"
REMOVE_INTERFACE = f"{_PREFIX}:remove_interface"

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


def list_rules() -> list[policy.RuleDefault]:
    """Return all rules, for the oslo.policy tools."""
    return [*_BASE_RULES, *_OPERATION_RULES]


class Policy:
    """Answers whether a caller may do something, as the policy file and the defaults say."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.enforcer = policy.Enforcer(conf)
        self.enforcer.register_defaults(list_rules())

    def authorize(self, context: RequestContext, rule: str) -> None:
        """Let the caller pass.

        :raises Forbidden: with the message that Nova had
        """
        credentials = dict(context.to_policy_values())
        # Old policy files say is_admin:True where newer ones say role:admin.
        credentials["is_admin"] = self.enforcer.authorize("context_is_admin", {}, credentials)
        try:
            allowed = self.enforcer.authorize(rule, {}, credentials)
        except policy.InvalidScope:
            allowed = False
        if not allowed:
            raise Forbidden(f"Policy doesn't allow {rule} to be performed.")


def get_enforcer() -> policy.Enforcer:
    """Return an enforcer with our rules, for the oslo.policy tools.

    The command line is theirs, so none is read.
    """
    conf = cfg.CONF
    conf([], project="bm-shim")
    return Policy(conf).enforcer
