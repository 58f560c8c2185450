# SPDX-License-Identifier: Apache-2.0
"""The page of faults says what the tests hold the shim to, no more and no less."""

import ast
import textwrap
from pathlib import Path

import pytest

from .table import ACCOUNT, BRIDGE, CALLERS, IRONIC, SURROUNDINGS, Line

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "doc" / "source" / "faults.rst"
TABLES = {
    "ironic": IRONIC,
    "callers": CALLERS,
    "account": ACCOUNT,
    "bridge": BRIDGE,
    "surroundings": SURROUNDINGS,
}
HEADER = ("Fault", "The caller gets", "Within", "The log says")


def render(lines: tuple[Line, ...]) -> str:
    """Return a table as the page has it."""
    text = ".. list-table::\n   :header-rows: 1\n   :widths: 30 35 15 20\n\n"
    for row in (HEADER, *(line.cells for line in lines)):
        for number, cell in enumerate(row):
            bullet = "   * - " if number == 0 else "     - "
            text += textwrap.fill(
                cell, 99, initial_indent=bullet, subsequent_indent=" " * 7, break_long_words=False
            )
            text += "\n"
    return text


@pytest.mark.parametrize("name", TABLES)
def test_page_has_the_table(name: str) -> None:
    """What is missing is to be put into the page."""
    assert render(TABLES[name]) in PAGE.read_text()


def test_page_has_no_other_table() -> None:
    assert PAGE.read_text().count("list-table::") == len(TABLES)


def test_each_line_is_proved() -> None:
    for line in (line for lines in TABLES.values() for line in lines):
        assert bool(line.strikes) != bool(line.proof), line.fault
        if line.proof:
            file, _, function = line.proof.partition("::")
            tree = ast.parse((TESTS / file).read_text())
            assert function in {
                each.name for each in tree.body if isinstance(each, ast.FunctionDef)
            }
