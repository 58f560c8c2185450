# SPDX-License-Identifier: Apache-2.0
"""What differs between two answers to the same request: pure functions."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from oslo_utils.strutils import mask_password

from bm_shim.compare.client import Answer


class Kind(StrEnum):
    """In what way."""

    STATUS = "status"
    #: A header, key or element that only the old server has.
    MISSING = "missing"
    #: A header, key or element that only the new server has.
    ADDED = "added"
    TYPE = "type"
    VALUE = "value"
    #: The same elements in another order.
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs; None where a side has nothing."""

    kind: Kind
    #: ``status``, ``header vary``, ``body``, or the place in the body: ``nodes[4f1c…].cpus``.
    where: str
    old: object
    new: object

    @property
    def everywhere(self) -> str:
        """The place without saying in which element: ``nodes[*].cpus``."""
        return re.sub(r"\[[^]]*\]", "[*]", self.where)


#: Of the connection, of the moment, or a consequence of the body.
_NOT_COMPARED = {
    "connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "via",
}  # fmt: skip
#: The shim says where to go next; Nova does not.
_ON_PURPOSE = {"deprecation", "link", "sunset"}
#: Different each time; it is only compared whether they are there.
_VALUE_VARIES = {
    "age", "openstack-request-id", "retry-after", "set-cookie", "x-compute-request-id",
    "x-openstack-request-id",
}  # fmt: skip

_MASK = "***"
_SECRET = re.compile("password|secret|token|cookie", re.IGNORECASE)

#: What tells elements of a list apart, the first that all have.
_IDENTITIES = ("uuid", "id", "alias", "address", "rel", "type")


def differences(old: Answer, new: Answer) -> list[Difference]:
    """Return all that differs."""
    found = []
    if old.status != new.status:
        found.append(Difference(Kind.STATUS, "status", old.status, new.status))
    found += _headers(old.headers, new.headers)
    found += _bodies(old.body, new.body)
    return found


def _headers(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted({*old, *new} - _NOT_COMPARED - _ON_PURPOSE):
        where = f"header {name}"
        if name not in new:
            yield _difference(Kind.MISSING, where, old[name], None)
        elif name not in old:
            yield _difference(Kind.ADDED, where, None, new[name])
        elif name not in _VALUE_VARIES and _words(old[name]) != _words(new[name]):
            yield _difference(Kind.VALUE, where, old[name], new[name])


def _words(value: str) -> list[str]:
    """Return the elements of a list, the order of which means nothing."""
    return sorted(word.strip() for word in value.split(","))


def _bodies(old: str, new: str) -> list[Difference]:
    try:
        return list(_values("", json.loads(old), json.loads(new)))
    except (ValueError, RecursionError):
        # No JSON, or nested beyond reason.
        if old == new:
            return []
        return [Difference(Kind.VALUE, "body", _beginning(old), _beginning(new))]


def _values(where: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _objects(where, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(where, old, new)
    elif type(old) is not type(new):
        yield _difference(Kind.TYPE, where, old, new)
    elif old != new:
        yield _difference(Kind.VALUE, where, old, new)


def _objects(where: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    for name in {**old, **new}:
        place = f"{where}.{name}" if where else name
        if name not in new:
            yield _difference(Kind.MISSING, place, old[name], None)
        elif name not in old:
            yield _difference(Kind.ADDED, place, None, new[name])
        else:
            yield from _values(place, old[name], new[name])


def _lists(where: str, old: list[Any], new: list[Any]) -> Iterator[Difference]:
    one, other = _by_identity(old, new)
    yield from (
        _difference(Kind.MISSING, f"{where}[{name}]", one[name], None)
        for name in one
        if name not in other
    )
    yield from (
        _difference(Kind.ADDED, f"{where}[{name}]", None, other[name])
        for name in other
        if name not in one
    )
    common = [name for name in one if name in other]
    if common != [name for name in other if name in one]:
        yield Difference(Kind.ORDER, where, list(one), list(other))
    for name in common:
        yield from _values(f"{where}[{name}]", one[name], other[name])


def _by_identity(old: Sequence[Any], new: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the elements by what tells them apart on both sides; else by their positions."""
    for key in _IDENTITIES:
        one, other = _by_key(old, key), _by_key(new, key)
        # Ids of another kind altogether would make all of them missing and added.
        if one is not None and other is not None and (not one or not other or {*one} & {*other}):
            return one, other
    return _by_position(old), _by_position(new)


def _by_position(elements: Sequence[Any]) -> dict[str, Any]:
    return {str(i): each for i, each in enumerate(elements)}


def _by_key(elements: Sequence[Any], key: str) -> dict[str, Any] | None:
    """Return elements by one of their values; None if not all have it, or two the same."""
    found = {str(each[key]): each for each in elements if isinstance(each, dict) and each.get(key)}
    return dict(found) if len(found) == len(elements) else None


def _difference(kind: Kind, where: str, old: Any, new: Any) -> Difference:
    if _SECRET.search(where):
        old, new = (_MASK if value is not None else None for value in (old, new))
    return Difference(kind, where, _masked(old), _masked(new))


def _masked(value: Any) -> Any:
    """Return a value of a body without the secrets in it."""
    if isinstance(value, dict):
        return {k: _MASK if _SECRET.search(k) else _masked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return value


def _beginning(text: str) -> str:
    """Return the beginning of a body that is no JSON, as balancers send them, or XML."""
    return mask_password(text)[:200]
