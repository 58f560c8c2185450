# SPDX-License-Identifier: Apache-2.0
"""The list of all nodes: read once for all who ask at the same time, and kept where that is asked.

Who comes with rights of their own shares nothing.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from bm_shim import metrics, translation
from bm_shim.ironic import Connection
from bm_shim.ironic_errors import sensible
from bm_shim.ironic_json import JsonObject
from bm_shim.model import Node
from bm_shim.rights import Rights
from bm_shim.shared_reads import SharedReads

_Rows = list[JsonObject]
_ReadBoth = Callable[[Callable[[], _Rows], Callable[[], _Rows]], tuple[_Rows, _Rows]]


class Listing:
    """What one read of the fleet found, with the bodies made of it; shared among threads.

    :param began: when the read did, by the clock; None: just now
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        began: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        #: All nodes with their interfaces, in Ironic's order.
        self.nodes = nodes
        self._began = clock() if began is None else began
        self._clock = clock
        self._lock = threading.Lock()
        self._bodies: dict[Hashable, bytes] = {}

    @property
    def age(self) -> float:
        """Seconds since the read began."""
        return self._clock() - self._began

    def body(self, kind: Hashable, write: Callable[[], bytes]) -> bytes:
        """Return the body of a kind, written by the first who wants it."""
        with self._lock:
            if kind not in self._bodies:
                self._bodies[kind] = write()
            return self._bodies[kind]


class Lister:
    """Makes listings, for one process.

    :param read_both: runs two reads at the same time
    """

    def __init__(
        self,
        rights: Rights,
        read_both: _ReadBoth,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rights = rights
        self._read_both = read_both
        self._clock = clock
        # By whether they are with detail.
        self._reads = {detail: SharedReads[Listing]() for detail in (False, True)}
        self._kept: dict[bool, Listing] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def list(self, ironic: Connection, *, detail: bool, max_age: float) -> Listing:
        """Return a listing as :meth:`Inventory.list_nodes` has it."""
        if ironic.forwards_token:
            metrics.LISTS.labels("read").inc()
            return self._read(ironic, detail)
        kept = self._find(detail, max_age)
        if kept is not None:
            metrics.LISTS.labels("kept").inc()
            return kept
        mine = False

        def read() -> Listing:
            nonlocal mine
            mine = True
            # One may have been kept while this read waited for its turn.
            return self._find(detail, max_age) or self._read_and_keep(ironic, detail, max_age)

        try:
            return self._reads[detail].get(read)
        finally:
            metrics.LISTS.labels("read" if mine else "shared").inc()

    def outdate(self) -> None:
        """Forget what is kept, and keep no read that is under way: something was written."""
        with self._lock:
            self._writes += 1
            self._kept.clear()

    def _find(self, detail: bool, max_age: float) -> Listing | None:
        kept = self._kept.get(detail)
        return kept if kept is not None and kept.age < max_age else None

    def _read_and_keep(self, ironic: Connection, detail: bool, max_age: float) -> Listing:
        writes = self._writes
        listing = self._read(ironic, detail)
        with self._lock:
            if max_age and self._writes == writes:
                self._kept[detail] = listing
        return listing

    def _read(self, ironic: Connection, detail: bool) -> Listing:
        """Make a listing by two reads in parallel, however many nodes there are.

        Ports of nodes that vanished between the two are left out.
        """
        began = self._clock()
        fields = None if detail else translation.NODE_FIELDS

        def read_ports() -> _Rows:
            self._rights.ensure_can_list(ironic)
            return ironic.list_ports(translation.PORT_FIELDS)

        nodes, ports = self._read_both(lambda: ironic.list_nodes(fields), read_ports)
        ports_of: dict[Any, _Rows] = defaultdict(list)
        for port in ports:
            ports_of[port.get("node_uuid")].append(port)
        with sensible():
            found = [translation.node_from_ironic(node, ports_of[node["uuid"]]) for node in nodes]
        return Listing(found, began, self._clock)
