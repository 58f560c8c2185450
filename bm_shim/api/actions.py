# SPDX-License-Identifier: Apache-2.0
"""Actions on a resource: bodies whose one key says what to do."""

from collections.abc import Container

from bm_shim import errors
from bm_shim.api.representation import MALFORMED_BODY


def name_of(body: dict[str, object], known: Container[str]) -> str:
    """Return the one key of a body.

    :raises errors.BadRequest: there is not one, or it is no action
    """
    if len(body) != 1:
        raise errors.BadRequest(MALFORMED_BODY)
    (name,) = body
    if name not in known:
        raise unknown(name)
    return name


def unknown(name: str) -> errors.BadRequest:
    """Return the error for an action that the resource does not have."""
    return errors.BadRequest(f"There is no such action: {name}")
