# SPDX-License-Identifier: Apache-2.0
"""Bodies of the legacy API: one module per dialect, each pure functions over the model."""

from collections.abc import Iterable
from typing import Protocol

from bm_shim.formats import ironic_proxy, nova_baremetal, union
from bm_shim.model import Interface, Node


class Format(Protocol):
    """What every dialect's module offers."""

    #: Whether the list shows ``updated_at``, which costs Ironic its full bodies.
    UPDATED_AT_IN_LIST: bool

    def node(self, node: Node) -> dict[str, object]:
        """Return the body of show and create."""

    def node_in_list(self, node: Node) -> dict[str, object]:
        """Return an entry of the list."""

    def interface(self, interface: Interface) -> dict[str, object]:
        """Return the body of add_interface."""

    def node_not_found(self, node_id: str) -> str:
        """Return the message for a node that does not exist."""


#: By their names in ``[api] response_format``.
FORMATS: dict[str, Format] = {
    "union": union,
    "nova-baremetal": nova_baremetal,
    "ironic-proxy": ironic_proxy,
}


def names_by_prefix(choices: Iterable[str], prefixes: Iterable[str]) -> dict[str, str]:
    """Read ``[api] response_format``: ``PREFIX:FORMAT`` for one prefix, ``FORMAT`` for all others.

    :returns: for each prefix the name of its format, ``union`` where nothing was said
    """
    chosen = dict(choice.rpartition(":")[::2] for choice in choices)
    return {prefix: chosen.get(prefix, chosen.get("", "union")) for prefix in prefixes}


def by_prefix(choices: Iterable[str], prefixes: Iterable[str]) -> dict[str, Format]:
    """Return for each prefix its format, read as :func:`names_by_prefix` does."""
    names = names_by_prefix(choices, prefixes)
    return {prefix: FORMATS[name] for prefix, name in names.items()}
