# SPDX-License-Identifier: Apache-2.0
"""Which settings of a node are secrets, by their names: more than Ironic itself takes for such."""

import re

#: What Ironic shows in place of a secret.
MASK = "******"

# An SNMP community is all that a power outlet asks for.
_SECRET = re.compile("passw|passphrase|secret|token|key|credential|community", re.IGNORECASE)


def is_secret(name: object) -> bool:
    """Whether the value of a key in ``driver_info`` and the like is shown to nobody."""
    return _SECRET.search(str(name)) is not None
