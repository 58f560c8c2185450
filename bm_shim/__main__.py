# SPDX-License-Identifier: Apache-2.0
"""``python -m bm_shim`` is the command ``bm-shim``."""

from bm_shim.cmd import main

main(prog_name="bm-shim")
