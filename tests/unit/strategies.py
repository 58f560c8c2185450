# SPDX-License-Identifier: Apache-2.0
"""What Ironic may hold and what callers may send, for Hypothesis."""

import os
import uuid
from collections.abc import Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from bm_shim import schemas, translation
from bm_shim.legacy_ids import DERIVED_FROM

#: How many examples a pure function gets; no matter how busy the machine is.
MANY = settings(max_examples=int(os.environ.get("BM_SHIM_EXAMPLES", "150")), deadline=None)

#: Also halves of surrogate pairs, which JSON can escape, and control characters.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)
INTEGERS = st.integers() | st.integers(0, 2**31 - 1)
#: Python reads ``NaN`` and ``1e400`` from JSON.
SCALARS = st.none() | st.booleans() | INTEGERS | st.floats() | TEXTS | st.just("8") | st.just("")


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)


#: Any value that JSON can have.
ANYTHING = st.recursive(SCALARS, _nested, max_leaves=6)


def objects(names: list[str], values: st.SearchStrategy[Any] = ANYTHING) -> st.SearchStrategy[Any]:
    """Return objects with some of these keys, and other ones; or something that is no object."""
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))
    others = st.dictionaries(TEXTS, values, max_size=2)
    return st.builds(lambda one, other: {**other, **one}, known, others) | ANYTHING


#: As Ironic keeps them: in any letter case, with dashes or without.
UUIDS = st.uuids().flatmap(lambda u: st.sampled_from([str(u), str(u).upper(), u.hex]))
TIMES = (
    st.datetimes(timezones=st.none() | st.timezones()).map(lambda time: time.isoformat())
    | st.sampled_from(["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
    | ANYTHING
)
STATES = st.sampled_from(["available", "active", "cleaning", "deploy failed", "nonsense"])
POWER_STATES = st.sampled_from(["power on", "power off", "rebooting"]) | TEXTS | st.none()
DRIVERS = st.sampled_from(["ipmi", "redfish", "idrac", "ilo", "irmc", "fake-hardware"])

_FACTS = [
    "id", "terminal_port", "service_host", "pxe_config_path", "datapath_id", "port_no", "address",
    "instance_name", "created_at",
]  # fmt: skip
EXTRA = objects([translation.EXTRA_KEY], objects(_FACTS))
_DRIVER_INFO = [
    key for driver in ("ipmi", "redfish", "ilo") for key in translation.power_keys(driver) if key
]

PORTS = st.fixed_dictionaries(
    {"uuid": UUIDS, "address": TEXTS}, optional={"extra": EXTRA, "node_uuid": ANYTHING}
)
NODES = st.fixed_dictionaries(
    {"uuid": UUIDS},
    optional={
        "driver": DRIVERS | ANYTHING,
        "driver_info": objects(_DRIVER_INFO),
        "extra": EXTRA,
        "instance_uuid": UUIDS | ANYTHING,
        "properties": objects(["cpus", "memory_mb", "local_gb"]),
        "provision_state": STATES | ANYTHING,
        "updated_at": TIMES,
    },
)


#: Nodes with an instance on them.
INSTANCES = st.fixed_dictionaries(
    {"uuid": UUIDS},
    optional={
        **dict.fromkeys(translation.INSTANCE_FIELDS[1:], ANYTHING),
        "extra": EXTRA,
        "instance_info": objects(["display_name"]),
        "properties": objects(["cpus", "memory_mb", "local_gb"]),
        # Columns of Ironic's, texts for certain.
        "provision_state": STATES | TEXTS | st.none(),
        **dict.fromkeys(["power_state", "target_power_state"], POWER_STATES),
        "last_error": ANYTHING,
        "created_at": TIMES,
        "updated_at": TIMES,
    },
)


# What callers may send

#: What Ironic's database can store.
_STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
_NUMBERS = st.integers(0, 2**31 - 1)
MACS = st.from_regex(schemas.MAC, fullmatch=True)


def _as_sent(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    return numbers | numbers.map(str) | numbers.map(lambda number: f" +{number}\n")


def _uuid_as_sent(made: uuid.UUID) -> st.SearchStrategy[str]:
    return st.sampled_from([str(made), str(made).upper(), made.hex])


_NEW_UUIDS = st.uuids().flatmap(_uuid_as_sent)
_NODE_FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "id": _as_sent(st.integers(0, DERIVED_FROM - 1)),
    "uuid": _NEW_UUIDS | st.just(""),
    "instance_uuid": _NEW_UUIDS | st.just(""),
    "prov_mac_address": MACS,
    "preserve_ephemeral": st.booleans(),
    **dict.fromkeys(["cpus", "memory_mb", "local_gb", "terminal_port"], _as_sent(_NUMBERS)),
    **dict.fromkeys(["root_mb", "swap_mb", "ephemeral_mb"], _as_sent(_NUMBERS)),
    **dict.fromkeys(["pm_address", "pm_user", "pm_password", "service_host"], _STORABLE),
    **dict.fromkeys(["pxe_config_path", "instance_name", "image_path"], _STORABLE),
}

#: The ``node`` object of create.
NEW_NODES = st.fixed_dictionaries(
    {}, optional={name: values | st.none() for name, values in _NODE_FIELDS.items()}
)
#: The ``add_interface`` object.
NEW_INTERFACES = st.fixed_dictionaries(
    {"address": MACS},
    optional={
        "datapath_id": _STORABLE | st.integers(-(10**18), 10**18) | st.none(),
        "port_no": _as_sent(_NUMBERS) | st.none(),
    },
)
