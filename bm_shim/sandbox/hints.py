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

# nova 2.18, which knows identity v2.0 only: the shim's identity bridge has it.
OS_AUTH_URL="$BM_SHIM_URL/identity/v2.0" OS_TENANT_NAME="$OS_PROJECT_NAME" nova baremetal-node-list

# The same with curl:
curl -s -w '\n' "$BM_SHIM_URL/identity/v2.0/tokens" -H 'Content-Type: application/json' \
  -d '{"auth": {"tenantName": "'"$OS_PROJECT_NAME"'", "passwordCredentials":
       {"username": "'"$OS_USERNAME"'", "password": "'"$OS_PASSWORD"'"}}}'

# The login of before Keystone, which answers in headers:
curl -s -D - -H "X-Auth-User: $OS_USERNAME" -H "X-Auth-Key: $OS_PASSWORD" \
  -H "X-Auth-Project-Id: $OS_PROJECT_NAME" "$BM_SHIM_URL/identity"

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
