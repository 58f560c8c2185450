# SPDX-License-Identifier: Apache-2.0
"""Options of a configuration file as data."""

from collections.abc import Mapping
from typing import TypeAlias

#: Group, option, value. None as a value means: not set.
Options: TypeAlias = Mapping[str, Mapping[str, object]]


def merged(base: Options, overrides: Options) -> Options:
    """Return ``base`` with the options of ``overrides`` in place of, or beside, its own."""
    groups = [*base, *(group for group in overrides if group not in base)]
    return {group: {**base.get(group, {}), **overrides.get(group, {})} for group in groups}
