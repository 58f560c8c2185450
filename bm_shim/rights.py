# SPDX-License-Identifier: Apache-2.0
"""What our account may do in Ironic, asked of Ironic and remembered for a while.

Ironic does not say so by itself: an account that lacks the right to list all nodes gets a partial
or empty list with status 200, and one that may create nodes but neither ports nor delete would
leave half a node behind.
"""

import time
from collections.abc import Callable

from bm_shim.errors import Forbidden, NotSetUp
from bm_shim.ironic import Connection

_LIST_ADVICE = (
    "The account of [ironic] may not list all nodes, so Ironic would show it a part of the fleet "
    "or nothing. Give it the reader or admin role on the system and set system_scope = all in "
    "[ironic], or give it the service role and set [DEFAULT] rbac_service_role_elevated_access "
    "in Ironic (enough to read), or grant it baremetal:node:list_all, baremetal:port:list_all and "
    "baremetal:node:get in Ironic's policy file."
)
_CREATE_ADVICE = (
    "The account of [ironic] may not create ports, and so not delete what fails half-way, "
    "so no node is created. Give it the admin role on the system and set system_scope = all in "
    "[ironic], or grant it baremetal:port:create, baremetal:port:delete and "
    "baremetal:node:delete in Ironic's policy file."
)
_SHOW_ADVICE = (
    "The account of [ironic] may list nodes and not show them: Ironic says of each that it is not "
    "there. Grant it baremetal:node:get in Ironic's policy file."
)
_LIST_MESSAGE = (
    "This service is not set up to list nodes: the bare metal service shows its account only a "
    "part of them. The operator finds the missing right in its log."
)


class Rights:
    """Checks of the account's rights; a favourable answer holds for ``interval`` seconds.

    With forwarded tokens it is the caller's rights that are checked, each time anew.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._clock = clock
        self._good_until: dict[str, float] = {}

    def ensure_can_list(self, ironic: Connection) -> None:
        """Make sure that a list of nodes is the whole truth.

        :raises NotSetUp: our account sees only a part of the fleet; the log says what to grant
        :raises Forbidden: so does the caller, where tokens are forwarded
        """
        if ironic.forwards_token:
            if not ironic.may_list_all_nodes():
                raise Forbidden("The bare metal service does not let you list all nodes.")
        elif not self._holds("list", ironic.may_list_all_nodes):
            raise NotSetUp(_LIST_MESSAGE, detail=_LIST_ADVICE)

    def ensure_whole_view(self, ironic: Connection) -> None:
        """Make sure that what is not found is not there, rather than hidden from our account.

        What Ironic hides from callers who come with their own rights is hidden from them.

        :raises NotSetUp: our account sees only a part of the fleet; the log says what to grant
        """
        if not ironic.forwards_token:
            self.ensure_can_list(ironic)

    def ensure_can_show(self, ironic: Connection) -> None:
        """Make sure that a node that is not found is not there, whether listed or asked for.

        :raises NotSetUp: our account may not see all nodes, one by one; the log says what to grant
        """
        self.ensure_whole_view(ironic)
        if not (ironic.forwards_token or self._holds("show", ironic.may_show_nodes)):
            raise NotSetUp(detail=_SHOW_ADVICE)

    def ensure_can_create(self, ironic: Connection) -> None:
        """Make sure that a node can be made, given ports and taken away again, before it is made.

        :raises NotSetUp: our account may not; the log says what to grant
        :raises Forbidden: the caller may not, where tokens are forwarded
        """
        if ironic.forwards_token:
            if not ironic.may_create_ports():
                raise Forbidden("The bare metal service does not let you create ports.")
        elif not self._holds("create", lambda: _can_create(ironic)):
            raise NotSetUp(detail=_CREATE_ADVICE)

    def _holds(self, right: str, ask: Callable[[], bool]) -> bool:
        if self._clock() < self._good_until.get(right, float("-inf")):
            return True
        # Without a lock: where Ironic hangs, callers would queue for one timeout each.
        holds = ask()
        if holds:
            self._good_until[right] = self._clock() + self._interval
        return holds


def _can_create(ironic: Connection) -> bool:
    """Whether ports can be created on any node, or at least on those the account creates.

    Ironic lets the administrator of a project do everything with the nodes that the project owns,
    and makes it the owner of those it creates.
    """
    return ironic.may_create_ports() or "admin" in ironic.own_roles()
