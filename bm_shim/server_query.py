# SPDX-License-Identifier: Apache-2.0
"""Which servers a list shows: those that the query asks for, and of them one page. Pure."""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bm_shim.errors import BadRequest
from bm_shim.model import Instance, ServerQuery

#: Seconds that all names of a list may take; a pattern can be written so that it takes for ever.
PATIENCE = 1.0

#: Characters of a pattern; no name is longer.
_LONGEST_PATTERN = 255

# What costs memory that no timeout bounds, already when a pattern is compiled: groups of other
# kinds (recursion), counts of what may hold counts, counts beyond 999, and counts of errors.
_UNBOUNDED = re.compile(r"\(\?(?![:=!])|[)}]\{|\{(?![0-9]{1,3}(,[0-9]{0,3})?\})")

Attribute = Callable[[Instance], str | None]


def nothing(instance: Instance) -> None:
    """No instance here has it, so none is shown to whoever asks for it."""


#: Attributes that may be asked for, by Nova's names.
PATTERNS: Mapping[str, Attribute] = {
    "name": lambda instance: instance.name,
    "instance_name": lambda instance: instance.name,
}
ATTRIBUTES: Mapping[str, Attribute] = {
    "flavor": lambda instance: instance.flavor,
    "host": lambda instance: instance.service_host,
    "image": nothing,
    "ip": nothing,
    "ip6": nothing,
    "key_name": nothing,
    "node": lambda instance: instance.node_uuid,
    "power_state": lambda instance: str(instance.power_state),
    "project_id": lambda instance: instance.project_id,
    "reservation_id": nothing,
    "tags": nothing,
    "tags-any": nothing,
    "task_state": lambda instance: instance.state.task_state,
    "tenant_id": lambda instance: instance.project_id,
    "user_id": nothing,
    "uuid": lambda instance: instance.uuid,
    "vm_state": lambda instance: instance.state.vm_state,
}

#: Those that everybody may ask for. Nova silently drops the others, unless it is an administrator
#: who asks.
_OPEN = {"flavor", "image", "ip", "ip6", "name", "reservation_id", "tags", "tags-any"}
#: Those that count only in a list of all projects.
_OF_ALL_TENANTS = {"project_id", "tenant_id"}


class Page(NamedTuple):
    """A part of a list."""

    instances: Sequence[Instance]
    #: Whether there are further pages.
    more: bool


def check_pattern(name: str, pattern: str) -> None:
    """Refuse a pattern that a process could choke on. Those that databases take are short enough.

    :raises BadRequest: it is too long, or has what is not taken
    """
    if len(pattern) > _LONGEST_PATTERN or _UNBOUNDED.search(pattern):
        raise BadRequest(
            f"Invalid input for '{name}': A pattern has at most {_LONGEST_PATTERN} characters, "
            "counts up to {999}, none of them of a group, and no extensions but (?:, (?= and (?!."
        )


def permitted(query: ServerQuery, *, admin: bool) -> ServerQuery:
    """Return a query without what its caller, or its scope, has no use of."""

    def counts(name: str) -> bool:
        return (admin or name in _OPEN) and (query.all_tenants or name not in _OF_ALL_TENANTS)

    return replace(
        query,
        deleted=query.deleted and admin,
        patterns={name: value for name, value in query.patterns.items() if counts(name)},
        equal={name: value for name, value in query.equal.items() if counts(name)},
    )


def select(instances: Iterable[Instance], query: ServerQuery, max_limit: int) -> Page:
    """Return the page that is asked for, in the order given.

    :param instances: all that the caller may see
    :raises BadRequest: the marker is none of them, or a pattern takes too long
    """
    rest = _after(list(instances), query.marker)
    fitting = [] if query.deleted else _fitting(rest, query)
    limit = max_limit if query.limit is None else min(query.limit, max_limit)
    # Nova has no next page after an empty one.
    return Page(fitting[:limit], 0 < limit < len(fitting))


def _after(instances: list[Instance], marker: str | None) -> list[Instance]:
    if marker is None:
        return instances
    for position, instance in enumerate(instances, start=1):
        if instance.uuid == marker:
            return instances[position:]
    raise BadRequest(f"marker [{marker}] not found")


def _fitting(instances: list[Instance], query: ServerQuery) -> list[Instance]:
    deadline = time.monotonic() + PATIENCE

    def time_left() -> float:
        return max(0.0, deadline - time.monotonic())

    try:
        return [each for each in instances if _fits(each, query, time_left)]
    except TimeoutError:
        raise BadRequest("It takes too long to find what matches the name.") from None


def _fits(instance: Instance, query: ServerQuery, time_left: Callable[[], float]) -> bool:
    """Whether an instance has all that is asked for.

    :raises TimeoutError: no time was left before that was known
    """
    since = query.changes_since
    changed = instance.updated_at
    return (
        (not query.status or instance.state.status in query.status)
        and (since is None or (changed is not None and changed >= since))
        and all(ATTRIBUTES[name](instance) == value for name, value in query.equal.items())
        and all(
            # Others are served meanwhile.
            pattern.search(PATTERNS[name](instance) or "", timeout=time_left(), concurrent=True)
            for name, pattern in query.patterns.items()
        )
    )
