# SPDX-License-Identifier: Apache-2.0
"""Reads ``[baremetal]`` of a nova.conf, with the library that nova read it with."""

import os
from collections.abc import Sequence

from oslo_config import cfg, iniparser

from bm_shim.migrate.errors import SettingsError
from bm_shim.migrate.model import IPMI, PXE, BaremetalOptions

_OPTIONS = [
    cfg.StrOpt("driver", default=PXE),
    cfg.StrOpt("power_manager", default=IPMI),
    cfg.ListOpt("flavor_extra_specs", default=[]),
    # Its name until Havana. Not a deprecated name of the other: there is nobody to warn.
    cfg.ListOpt("instance_type_extra_specs", default=[]),
    cfg.StrOpt("sql_connection", default="sqlite:///$state_path/baremetal_nova.sqlite"),
]
# Options that others may refer to. Nova's own default of state_path was where its source lay;
# all packages set this one.
_REFERRED_TO = [
    cfg.StrOpt("state_path", default="/var/lib/nova"),
    cfg.StrOpt("sqlite_db", default="nova.sqlite"),
    cfg.StrOpt("my_ip"),
    cfg.StrOpt("host"),
]


def read(path: str | os.PathLike[str]) -> BaremetalOptions:
    """Read a nova.conf. What it does not set has nova's default.

    :raises SettingsError: there is no such file, or it cannot be read; values are not repeated
    """
    conf = _load(os.fspath(path))
    try:
        options = conf.baremetal
        specs = options.flavor_extra_specs or options.instance_type_extra_specs
        return BaremetalOptions(
            driver=options.driver,
            power_manager=options.power_manager,
            cpu_arch=_cpu_arch(specs),
            sql_connection=options.sql_connection or None,
            path=os.fspath(path),
        )
    except cfg.Error:
        raise SettingsError(
            f"{path} cannot be read: an option in [baremetal] refers to one that is not known "
            "here; a mere dollar sign is written $$"
        ) from None


def _load(path: str) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    conf.register_opts(_OPTIONS, group="baremetal")
    conf.register_opts(_REFERRED_TO)
    try:
        # Nothing but this file: no others that are found, no environment.
        conf([], default_config_files=[path], default_config_dirs=[], use_env=False)
    except cfg.ConfigFileParseError as error:
        raise SettingsError(f"{path} cannot be read: {_reason(error)}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} cannot be read: it is no text in UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except cfg.Error as error:
        # The file is not there, or not for us.
        raise SettingsError(str(error)) from None
    return conf


def _reason(error: cfg.ConfigFileParseError) -> str:
    """Say what is wrong with a file; oslo.config's own message has the line in it."""
    cause = error.__context__
    if isinstance(cause, iniparser.ParseError):
        return f"line {cause.lineno}: {cause.msg}"
    return "it is no configuration file"


def _cpu_arch(specs: Sequence[str]) -> str | None:
    """Return the architecture in a list of ``key:value``, as nova took it: the last one."""
    pairs = (spec.partition(":") for spec in specs)
    values = {key.strip(): value.strip() for key, _, value in pairs}
    return values.get("cpu_arch") or None
