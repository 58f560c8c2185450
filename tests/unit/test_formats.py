# SPDX-License-Identifier: Apache-2.0
"""What the dialects share, and which prefix speaks which."""

import pytest

from bm_shim import formats
from bm_shim.formats import ironic_proxy, nova_baremetal, union
from bm_shim.formats.values import legacy_time, size
from bm_shim.model import Node

PREFIXES = ("v1.1", "v2", "v2.1")


@pytest.mark.parametrize(
    ("choices", "v1_1", "v2", "v2_1"),
    [
        ([], union, union, union),
        (["union"], union, union, union),
        (["ironic-proxy"], ironic_proxy, ironic_proxy, ironic_proxy),
        (["v2:nova-baremetal"], union, nova_baremetal, union),
        (["nova-baremetal", "v2.1:ironic-proxy"], nova_baremetal, nova_baremetal, ironic_proxy),
        (["v2.1:ironic-proxy", "nova-baremetal"], nova_baremetal, nova_baremetal, ironic_proxy),
        (["v1.1:nova-baremetal", "v2:union", "v2.1:ironic-proxy"],
         nova_baremetal, union, ironic_proxy),
        # The last word counts.
        (["nova-baremetal", "union", "v2:union", "v2:ironic-proxy"], union, ironic_proxy, union),
    ],
)  # fmt: skip
def test_by_prefix(choices: list[str], v1_1: object, v2: object, v2_1: object) -> None:
    chosen = formats.by_prefix(choices, PREFIXES)
    assert [chosen[prefix] for prefix in PREFIXES] == [v1_1, v2, v2_1]


def test_unknown_format() -> None:
    with pytest.raises(KeyError):
        formats.by_prefix(["xml"], PREFIXES)


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (None, None),
        ("2026-11-22T20:30:17+00:00", "2026-11-22T20:30:17.000000"),
        ("2026-11-22T20:30:17.5+00:00", "2026-11-22T20:30:17.500000"),
        ("2026-11-22T20:30:17Z", "2026-11-22T20:30:17.000000"),
        ("2026-11-22T20:30:17", "2026-11-22T20:30:17.000000"),
        ("2026-11-22T22:30:17+02:00", "2026-11-22T20:30:17.000000"),
        ("2026-11-22T23:30:17-05:00", "2026-11-23T04:30:17.000000"),
        ("yesterday", None),
        ("", None),
    ],
)
def test_legacy_time(time: str | None, shown: str | None) -> None:
    assert legacy_time(time) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (8, 8),
        ("8", 8),
        (" 8 ", 8),
        (8.0, 8),
        (0, 0),
        (None, 0),
        ("", 0),
        ("8.5", 0),
        (8.5, 0),
        ("many", 0),
        (True, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        ([8], 0),
    ],
)
def test_size(value: object, shown: int) -> None:
    node = Node(
        uuid="1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
        recorded_id=None,
        properties={"cpus": value},
        provision_state=None,
        instance_uuid=None,
        service_host=None,
        pm_address=None,
        pm_user=None,
        terminal_port=None,
        pxe_config_path=None,
        updated_at=None,
        interfaces=(),
    )
    assert size(node, "cpus") == shown
    assert size(node, "memory_mb") == 0
