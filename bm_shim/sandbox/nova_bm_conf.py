# SPDX-License-Identifier: Apache-2.0
"""A nova.conf to go with a demo nova-baremetal database."""

from bm_shim.migrate.model import IPMI, PXE


def nova_conf(
    power_manager: str = IPMI,
    *,
    driver: str = PXE,
    cpu_arch: str = "x86_64",
    sql_connection: str = "mysql://nova:s3cr%25t@controller/nova_bm?charset=utf8",
) -> str:
    """Return a nova.conf as a compute host of the time had it.

    As in real ones, there are percent signs that are no interpolation, and options given twice.

    :param power_manager: class that switched the machines on and off.
    :param driver: class that deployed them.
    :param sql_connection: the database's URL.
    """
    return f"""\
[DEFAULT]
verbose = True
logging_context_format_string = %(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s
compute_driver = nova.virt.baremetal.driver.BareMetalDriver
scheduler_host_manager = nova.scheduler.baremetal_host_manager.BaremetalHostManager
firewall_driver = nova.virt.firewall.NoopFirewallDriver
instance_name_template = instance-%08x
notification_driver = nova.openstack.common.notifier.rpc_notifier
notification_driver = nova.openstack.common.notifier.log_notifier
ram_allocation_ratio = 1.0
reserved_host_memory_mb = 0
rabbit_password = 50%off

[baremetal]
sql_connection = {sql_connection}
driver = {driver}
power_manager = {power_manager}
# Until Havana: instance_type_extra_specs.
flavor_extra_specs = cpu_arch:{cpu_arch}, rack:b4
tftp_root = /tftpboot
pxe_append_params = nofb nomodeset vga=normal console=ttyS0,115200n8
terminal = shellinaboxd
terminal_pid_dir = $state_path/baremetal/console

[keystone_authtoken]
admin_user = nova
admin_password = 100%secret
"""
