# SPDX-License-Identifier: Apache-2.0
"""What runs on the nodes: the instances that Ironic records, in the words of the compute API."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bm_shim import errors, translation
from bm_shim.context import RequestContext
from bm_shim.ironic import Connection, Ironic
from bm_shim.ironic_errors import sensible
from bm_shim.legacy_ids import is_uuid
from bm_shim.model import Instance
from bm_shim.rights import Rights
from bm_shim.server_states import DELETING

LOG = logging.getLogger(__name__)

#: In which ``vm_state`` Nova reboots, softly and otherwise.
_SOFT_REBOOT_FROM = {"active"}
_HARD_REBOOT_FROM = {"active", "stopped", "error"}


class Instances:
    """The instances of the fleet. Each method takes the context of the caller it acts for.

    An instance is a node with an ``instance_uuid``. Whose it is, and so who may see or change it,
    is for the caller of these methods to look at.

    All may raise what :mod:`bm_shim.ironic` raises for an Ironic that is away, slow, refuses our
    account or answers nonsense; see :class:`bm_shim.inventory.Inventory`.
    """

    def __init__(self, ironic: Ironic, rights: Rights) -> None:
        self._ironic = ironic
        self._rights = rights

    def list(self, context: RequestContext, *, detail: bool = False) -> list[Instance]:
        """Return all instances, those on the newest nodes first.

        :param detail: with their times, for which Ironic must be asked for whole nodes
        :raises errors.NotSetUp: the account sees only a part of the fleet
        """
        ironic = self._ironic.on_behalf(context)
        self._rights.ensure_whole_view(ironic)
        nodes = ironic.list_instance_nodes(None if detail else translation.INSTANCE_FIELDS)
        with sensible():
            return [translation.instance_from_ironic(node) for node in reversed(nodes)]

    def get(self, context: RequestContext, server_id: str) -> Instance:
        """Return the instance with this UUID, with its times.

        :raises errors.InstanceNotFound: no node has it
        """
        ironic = self._ironic.on_behalf(context)
        # As it is asked for, else as nearly everybody writes UUIDs: Ironic keeps, and compares,
        # what it was given.
        for spelling in dict.fromkeys((server_id, server_id.lower())):
            node = ironic.find_instance_node(spelling) if is_uuid(spelling) else None
            if node is not None:
                with sensible():
                    return translation.instance_from_ironic(node)
        self._rights.ensure_whole_view(ironic)
        raise errors.InstanceNotFound(server_id)

    def reboot(self, context: RequestContext, instance: Instance, *, soft: bool) -> None:
        """Ask Ironic to reboot an instance just got, and do not wait for it.

        Hardware that cannot reboot softly is rebooted the other way, as by Nova's ironic driver.

        :raises errors.Conflict: its state, or its node's, does not allow it
        """
        ironic = self._ironic.on_behalf(context)
        state = instance.state
        if state.task_state is not None:
            raise _conflict("reboot", instance, f"it is in task_state {state.task_state}")
        if state.vm_state not in (_SOFT_REBOOT_FROM if soft else _HARD_REBOOT_FROM):
            raise _conflict("reboot", instance, f"it is in vm_state {state.vm_state}")
        with self._changing(context, "reboot", instance):
            if not (soft and _reboots_softly(ironic, instance.node_uuid)):
                ironic.reboot_node(instance.node_uuid, soft=False)

    def delete(self, context: RequestContext, instance: Instance) -> None:
        """Ask Ironic to undeploy the node of an instance just got, and do not wait for it.

        Nothing to ask for where that is under way already.

        :raises errors.Conflict: its state, or its node's, does not allow it
        """
        if instance.state.task_state == DELETING:
            return
        ironic = self._ironic.on_behalf(context)
        if instance.protected:
            raise _conflict("delete", instance, "its node is protected")
        with self._changing(context, "delete", instance):
            ironic.undeploy_node(instance.node_uuid)

    @contextmanager
    def _changing(
        self, context: RequestContext, action: str, instance: Instance
    ) -> Iterator[None]:
        """Tell in the words of the compute API what Ironic has against a change.

        Ironic would take it in maintenance, too. But then somebody works on the machine, or its
        BMC does not answer, and a failed undeploy leaves a machine running whose instance is gone.
        """
        if instance.maintenance:
            raise _conflict(action, instance, "its node is in maintenance")
        try:
            yield
        except errors.NotFound as error:
            self._rights.ensure_whole_view(self._ironic.on_behalf(context))
            raise errors.InstanceNotFound(instance.uuid) from error
        except errors.NodeLocked as error:
            why = "another operation holds its node locked"
            raise errors.NodeLocked(_refusal(action, instance, why)) from error
        except (errors.BadRequest, errors.Conflict) as error:
            # What it says is about hardware, so not for everybody.
            LOG.info("Ironic does not %s instance %s: %s", action, instance.uuid, error)
            # Somebody else may have been faster, and the instance be gone by now.
            state = self.get(context, instance.uuid).state
            if action == "delete" and state.task_state == DELETING:
                return
            why = f"it is in vm_state {state.vm_state}"
            raise _conflict(action, instance, why) from error


def _reboots_softly(ironic: Connection, node_uuid: str) -> bool:
    """Ask for a soft reboot and return whether the hardware knows of such a thing."""
    try:
        ironic.reboot_node(node_uuid, soft=True)
    except errors.BadRequest as error:
        LOG.info("Node %s is not rebooted softly, so otherwise: %s", node_uuid, error)
        return False
    return True


def _conflict(action: str, instance: Instance, why: str) -> errors.Conflict:
    return errors.Conflict(_refusal(action, instance, why))


def _refusal(action: str, instance: Instance, why: str) -> str:
    """Return Nova's words, which scripts may look for."""
    return f"Cannot '{action}' instance {instance.uuid} while {why}"
