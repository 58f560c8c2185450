# SPDX-License-Identifier: Apache-2.0
"""The map of the code in CONTRIBUTING.md is true."""

import pkgutil
import re
from pathlib import Path

import bm_shim

ROOT = Path(__file__).parents[2]
MODULES = {
    module.name.removeprefix("bm_shim."): module.ispkg
    for module in pkgutil.walk_packages(bm_shim.__path__, "bm_shim.", onerror=lambda name: None)
}


def mapped() -> set[str]:
    """The modules and packages that have a line."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.partition("| Module of `bm_shim` |")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE))


def test_what_is_mapped_exists() -> None:
    assert mapped() <= set(MODULES)


def test_every_module_is_mapped_or_its_package_is() -> None:
    known = mapped()
    modules = [name for name, is_package in MODULES.items() if not is_package]
    missing = [m for m in modules if m not in known and m.rpartition(".")[0] not in known]
    assert not missing, "needs a line in CONTRIBUTING.md"
