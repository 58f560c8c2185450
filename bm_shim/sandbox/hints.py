# SPDX-License-Identifier: Apache-2.0
"""The lines that a person pastes into another terminal to use a sandbox."""

import os
from collections.abc import Mapping
from shlex import quote

from bm_shim.sandbox.environment import points_to_a_cloud

# Shell lines with the variables of the sandbox; the same for every sandbox.
_EXAMPLES = r"""
# nova 2.35 to 7.1 (2.35 and 3.4 have all baremetal commands, 7.1 only those that show):
nova baremetal-node-list

# curl, with a token for one hour:
TOKEN=$(curl -s -o /dev/null -D - "$OS_AUTH_URL/auth/tokens" -H 'Content-Type: application/json' \
  -d '{"auth": {"identity": {"methods": ["password"], "password": {"user":
       {"name": "'"$OS_USERNAME"'", "domain": {"id": "default"}, "password": "'"$OS_PASSWORD"'"}}},
       "scope": {"project": {"name": "'"$OS_PROJECT_NAME"'", "domain": {"id": "default"}}}}}' \
  | tr -d '\r' | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: //p')
curl -s -w '\n' -H "X-Auth-Token: $TOKEN" "$BM_SHIM_URL/v2.1/os-baremetal-nodes"

# nova 2.18, which knows identity v2.0 only and so needs a ready token:
nova --os-auth-token "$TOKEN" --bypass-url "$BM_SHIM_URL/v2.1" --os-auth-url "$OS_AUTH_URL" \
  --os-tenant-name "$OS_PROJECT_NAME" baremetal-node-list

# The same machines through Ironic:
openstack baremetal node list
"""

# With simulated BMCs.
_BMC_EXAMPLES = """
# Switch a machine on over IPMI, and look a few seconds later:
openstack baremetal node power on bmc-1
openstack baremetal node show bmc-1 -c power_state -c target_power_state
"""


def paste_lines(
    environment: Mapping[str, str],
    inherited: Mapping[str, str] = os.environ,
    *,
    bmcs: bool = False,
) -> str:
    """Return shell lines: the settings, then examples that use them.

    :param environment: of the sandbox.
    :param inherited: the user's own; what in it would lead clients astray is unset.
    :param bmcs: there are machines with a BMC, made available in Ironic.
    """
    astray = sorted(
        name for name in inherited if points_to_a_cloud(name) and name not in environment
    )
    lines = [f"unset {' '.join(astray)}"] if astray else []
    lines += [f"export {name}={quote(value)}" for name, value in environment.items()]
    examples = _EXAMPLES + _BMC_EXAMPLES if bmcs else _EXAMPLES
    return "\n".join(lines) + "\n" + examples
