# SPDX-License-Identifier: Apache-2.0
"""``[enroll]``: what a node created through the legacy API becomes in Ironic."""

from oslo_config import cfg

GROUP = "enroll"

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "driver",
        default="ipmi",
        help="Hardware type of new nodes; Ironic must have it enabled. nova-baremetal's default "
        "power manager was IPMI. pm_address, pm_user and pm_password of the request go to the "
        "driver_info keys of this hardware type (ipmi_address, redfish_address, ...).",
    ),
    cfg.StrOpt(
        "cpu_arch",
        default="x86_64",
        help="properties['cpu_arch'] of new nodes. The legacy API has no such field; "
        "nova-baremetal took it from [baremetal] flavor_extra_specs.",
    ),
    cfg.StrOpt(
        "resource_class",
        default="baremetal",
        max_length=80,
        help="Resource class of new nodes, which flavors ask for (CUSTOM_BAREMETAL and so on). "
        "Empty: none is set.",
    ),
    cfg.StrOpt(
        "target_state",
        default="available",
        choices=[
            ("available", "usable at once, without a look at the BMC, as in nova-baremetal"),
            (
                "manageable",
                "Ironic is asked to verify the power credentials; the call does not wait for "
                "that, task_state shows how it goes",
            ),
            ("enroll", "registered only"),
        ],
        help="Provision state that new nodes are brought to.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on ``conf``."""
    conf.register_opts(OPTIONS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """Return the options, for the sample file."""
    return [(GROUP, OPTIONS)]
