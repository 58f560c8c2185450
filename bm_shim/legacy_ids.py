# SPDX-License-Identifier: Apache-2.0
"""The integer ids of the legacy API.

nova-baremetal numbered its nodes and interfaces; Ironic knows UUIDs only. A machine that came from
nova-baremetal has its integer *recorded* in Ironic. Every other one has a *derived* integer,
computed from its UUID: stable, the same on every replica, beyond any autoincrement column, and
exact in JSON readers that keep numbers as doubles.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable

from bm_shim.shared_reads import SharedReads

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


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID as Ironic writes them, in any letter case."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


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
        self._uuids: dict[int, str] = {}
        self._listings = SharedReads[dict[int, str]](REFRESH_INTERVAL, clock)

    def find(
        self, number: int, list_entries: Callable[[], Iterable[Entry]], *, shared: bool = True
    ) -> str | None:
        """Return the UUID for ``number``, or None when no node has it.

        :param list_entries: lists all nodes; called on a miss only, its errors pass through
        :param shared: whether callers may be given each other's listings; False where each sees
            a fleet of its own
        """
        known = self._uuids.get(number)
        if known is not None:
            return known

        def read() -> dict[int, str]:
            uuids = _read(list_entries())
            # Added and not put in place of what is known, which may be newer.
            self._uuids.update(uuids)
            return uuids

        return (self._listings.get(read) if shared else read()).get(number)

    def remember(self, resource_uuid: str, recorded: int | None) -> None:
        """Take in a node that was just seen or made."""
        if recorded is not None:
            self._uuids.setdefault(recorded, resource_uuid)
        derived = derived_id(resource_uuid)
        if self._uuids.setdefault(derived, resource_uuid) != resource_uuid:
            # It means neither, as the next listing will tell.
            self.forget(derived)

    def forget(self, number: int) -> None:
        """Drop an id that turned out to be wrong, so that the next search lists again."""
        self._uuids.pop(number, None)


def _read(entries: Iterable[Entry]) -> dict[int, str]:
    """Return the UUID that each integer means.

    Of nodes that record the same integer, it means the one that Ironic lists first. A derived
    integer that fits several (UUIDs made from the clock of one machine end alike) means none.
    """
    uuids: dict[int, str] = {}
    ambiguous = set()
    for resource_uuid, recorded in entries:
        derived = derived_id(resource_uuid)
        if uuids.setdefault(derived, resource_uuid) != resource_uuid:
            ambiguous.add(derived)
        if recorded is not None and uuids.setdefault(recorded, resource_uuid) != resource_uuid:
            LOG.warning(
                "Nodes %s and %s both record the legacy id %s; it means the former.",
                uuids[recorded], resource_uuid, recorded,
            )  # fmt: skip
    for number in ambiguous:
        LOG.warning("Several nodes have the derived id %s; use their UUIDs.", number)
        del uuids[number]
    return uuids
