# SPDX-License-Identifier: Apache-2.0
"""The integer ids of the legacy API.

nova-baremetal numbered its nodes and interfaces; Ironic knows UUIDs only. A machine that came from
nova-baremetal has its integer *recorded* in Ironic. Every other one has a *derived* integer,
computed from its UUID: stable, the same on every replica, beyond any autoincrement column, and
exact in JSON readers that keep numbers as doubles.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable

LOG = logging.getLogger(__name__)

#: Where derived ids begin: above every id that a 32-bit column held, and twice this is still
#: exact in a double.
DERIVED_FROM = 2**52

#: Where they end.
HIGHEST_ID = 2 * DERIVED_FROM

#: Seconds between two listings that :class:`IdIndex` makes for ids it does not know.
REFRESH_INTERVAL = 1.0

#: A uuid and the integer recorded with it, if one is.
Entry = tuple[str, int | None]


def derived_id(resource_uuid: str) -> int:
    """Return the integer that stands for a UUID, from ``DERIVED_FROM`` up to twice that.

    :raises ValueError: the text is not a UUID
    """
    return DERIVED_FROM + uuid.UUID(resource_uuid).int % DERIVED_FROM


def recorded_id(value: object) -> int | None:
    """Return ``value`` if it can be a recorded id: an integer from 1, below the derived ones."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < DERIVED_FROM:
        return value
    return None


def names(number: int, resource_uuid: str, recorded: int | None) -> bool:
    """Whether ``number`` is an id of the resource: the recorded or the derived one."""
    return number == (derived_id(resource_uuid) if number >= DERIVED_FROM else recorded)


class IdIndex:
    """Finds the UUID behind an integer id, for one process.

    The mapping of an existing node never changes, so it is kept. An id that is not known causes a
    listing, at most one every ``REFRESH_INTERVAL`` seconds whatever the number of callers; each
    caller gets the answer of a listing that began after it asked, so a node that exists is found.
    What comes out must be verified on use: the node may be gone, or its id given to another.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._uuids: dict[int, str] = {}
        self._lock = threading.Lock()
        self._listed_at = float("-inf")

    def find(self, number: int, list_entries: Callable[[], Iterable[Entry]]) -> str | None:
        """Return the UUID for ``number``, or None when no node has it.

        :param list_entries: lists all nodes; called on a miss only, its errors pass through
        """
        asked_at = self._clock()
        found = self._uuids.get(number)
        if found is not None:
            return found
        with self._lock:
            if self._listed_at <= asked_at:
                self._refresh(list_entries)
            return self._uuids.get(number)

    def remember(self, resource_uuid: str, recorded: int | None) -> None:
        """Take in a node that was just seen or made."""
        self._uuids[derived_id(resource_uuid)] = resource_uuid
        if recorded is not None:
            self._uuids.setdefault(recorded, resource_uuid)

    def forget(self, number: int) -> None:
        """Drop an id that turned out to be wrong, so that the next search lists again."""
        self._uuids.pop(number, None)

    def _refresh(self, list_entries: Callable[[], Iterable[Entry]]) -> None:
        wait = self._listed_at + REFRESH_INTERVAL - self._clock()
        if wait > 0:
            time.sleep(wait)
        began = self._clock()
        for resource_uuid, recorded in list_entries():
            known = recorded is not None and self._uuids.get(recorded)
            if known and known != resource_uuid:
                LOG.warning(
                    "Nodes %s and %s both record the legacy id %s; it means the former.",
                    known, resource_uuid, recorded,
                )  # fmt: skip
            self.remember(resource_uuid, recorded)
        self._listed_at = began
