# SPDX-License-Identifier: Apache-2.0
"""Brings Ironic to where a plan wants it.

Nothing is deleted, nothing is overwritten, and power is not touched. A node is converted once:
when that is over it is the operator's, and no other run looks at it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from ironicclient import exc

from bm_shim import errors
from bm_shim.context import RequestContext
from bm_shim.ironic import Ironic
from bm_shim.migrate import steps, verify
from bm_shim.migrate.conversion import Conversion
from bm_shim.migrate.errors import explain
from bm_shim.migrate.fleet import Fleet, Machine, canonical
from bm_shim.migrate.model import NodeResult, Outcome, Plan, PlannedNode
from bm_shim.migrate.power import bmc_of
from bm_shim.migrate.steps import Impossible

OnResult = Callable[[NodeResult], None]


class Loader:
    """Converts planned nodes, several at once.

    :param workers: how many at once. Ironic's own server resets connections when more than ten
        come together
    :param timeout: seconds that Ironic may take for one transition of a node, or to unlock it
    """

    def __init__(self, ironic: Ironic, *, workers: int = 4, timeout: float = 300.0) -> None:
        self._ironic = ironic
        self._workers = workers
        self._timeout = timeout
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._hopeless = 0

    @property
    def requests(self) -> int:
        """How many requests Ironic and Keystone have answered so far."""
        return self._ironic.requests

    def stop(self) -> None:
        """Begin no further node. May be called from anywhere, a signal handler too."""
        self._stopping.set()

    def run(self, plan: Plan, fleet: Fleet, on_result: OnResult) -> dict[str, NodeResult]:
        """Convert the nodes of a plan, and return what became of each, by UUID.

        A node that fails does not keep the others from being converted, unless Ironic or Keystone
        fail all of them: then the rest is not tried. So it is after :meth:`stop`, or when the
        user interrupts; what is under way is brought to its end.

        :param fleet: what is in Ironic. A node that is not there is taken to be absent, one that
            is converted is not looked at again
        :param on_result: called in this thread with each result, in the order in which they come
        """
        results: dict[str, NodeResult] = {}

        def note(future: Future[NodeResult]) -> None:
            result = future.result()
            if result.uuid not in results:
                results[result.uuid] = result
                on_result(result)

        with ThreadPoolExecutor(self._workers, thread_name_prefix="load") as pool:
            futures = [pool.submit(self._convert, planned, fleet) for planned in plan.nodes]
            try:
                for future in as_completed(futures):
                    note(future)
            except KeyboardInterrupt:
                self.stop()
                for future in as_completed(futures):
                    note(future)
            except BaseException:
                self.stop()
                raise
        return results

    def _convert(self, planned: PlannedNode, fleet: Fleet) -> NodeResult:
        if self._stopping.is_set():
            return NodeResult(planned.uuid, Outcome.NOT_TRIED)
        try:
            result = self._convert_alone(planned, fleet)
        except Impossible as error:
            return NodeResult(planned.uuid, Outcome.FAILED, error=str(error))
        except errors.ShimError as error:
            self._consider_giving_up(planned, error)
            return NodeResult(planned.uuid, Outcome.FAILED, error=explain(error))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            text = f"Ironic answered what is no node: {error!r}"
            return NodeResult(planned.uuid, Outcome.FAILED, error=text)
        if result.outcome is not Outcome.UNCHANGED:
            self._hopeless = 0
        return result

    def _convert_alone(self, planned: PlannedNode, fleet: Fleet) -> NodeResult:
        before = fleet.find(planned.uuid)
        _ensure_own_id(planned, fleet)
        if before.node is not None and steps.is_converted(before.node):
            return NodeResult(planned.uuid, Outcome.UNCHANGED)
        _ensure_own_addresses(planned, fleet)
        _ensure_own_bmc(planned, fleet)
        connection = self._ironic.on_behalf(RequestContext())
        machine = Conversion(connection, planned, self._timeout).run(before)
        outcome = Outcome.CREATED if before.node is None else Outcome.COMPLETED
        return NodeResult(planned.uuid, outcome, remarks=_kept(planned, machine))

    def _consider_giving_up(self, planned: PlannedNode, error: errors.ShimError) -> None:
        """Stop when node after node fails for a reason that is not the node's."""
        is_hopeless = _is_hopeless(error)
        with self._lock:
            self._hopeless = self._hopeless + 1 if is_hopeless else 0
            if self._hopeless < 2 * self._workers:
                return
        if isinstance(error, errors.NotSetUp) or not self._answers(planned):
            self.stop()

    def _answers(self, planned: PlannedNode) -> bool:
        """Whether Ironic can look a node up: it is there then, and fails at what it is given."""
        try:
            self._ironic.on_behalf(RequestContext()).get_node(planned.uuid, ["uuid"])
        except errors.NotFound:
            return True
        except errors.ShimError:
            return False
        return True


def _ensure_own_id(planned: PlannedNode, fleet: Fleet) -> None:
    """Make sure that no other machine has the node's integer id, nor this one another id.

    :raises Impossible: there is one
    """
    others = [each for each in fleet.holders.get(planned.legacy_id, ()) if each != planned.uuid]
    if others:
        raise Impossible(
            f"the integer id {planned.legacy_id} is that of node {others[0]} in Ironic: of "
            "another database?"
        )
    if (node := fleet.find(planned.uuid).node) is not None:
        steps.ensure_same_id(planned, node)


def _ensure_own_addresses(planned: PlannedNode, fleet: Fleet) -> None:
    """Make sure that no other machine has one of the node's MAC addresses.

    :raises Impossible: there is one
    """
    for port in planned.ports:
        found = fleet.ports.get(port.address)
        if found is not None and canonical(found["node_uuid"]) != planned.uuid:
            raise Impossible(
                f"the MAC address {port.address} is that of a port of node {found['node_uuid']} "
                "in Ironic"
            )


def _ensure_own_bmc(planned: PlannedNode, fleet: Fleet) -> None:
    """Make sure that the machine is not in Ironic by another name.

    :raises Impossible: it is: what is done to that node, as cleaning, would be done to this one
    """
    bmc = bmc_of(planned.driver, planned.driver_info)
    others = [each for each in fleet.bmcs.get(bmc or (), ()) if each != planned.uuid]
    if others:
        raise Impossible(f"its BMC is that of node {others[0]} in Ironic, so it is that machine")


def _is_hopeless(error: errors.ShimError) -> bool:
    """Whether another node would not fare better: Ironic or Keystone are away or refuse us."""
    if isinstance(error, errors.NotSetUp):
        # Without a conductor for its driver, it is the node's own trouble.
        return not isinstance(error.__cause__, exc.BadRequest)
    return error.status >= 500


def _kept(planned: PlannedNode, machine: Machine) -> tuple[str, ...]:
    """Return what is otherwise than planned, after all that was missing is there."""
    return tuple(each.as_kept for each in verify.compare_node(planned, machine))
