# SPDX-License-Identifier: Apache-2.0
"""Shows how far the conversion is: a bar on a terminal, a line for each machine elsewhere."""

import sys
from collections import Counter
from types import TracebackType
from typing import Self

import click

from bm_shim.migrate import output
from bm_shim.migrate.model import NodeResult, Outcome, Plan


class Progress:
    """A context manager, which is told each result as it comes. Writes to stderr."""

    def __init__(self, plan: Plan) -> None:
        self._names = {node.uuid: f"node {node.legacy_id} ({node.uuid})" for node in plan.nodes}
        self._counts: Counter[Outcome] = Counter()
        self._bar = click.progressbar(
            range(len(plan.nodes)),
            label="Converting",
            file=sys.stderr,
            show_pos=True,
            item_show_func=lambda item: self._troubles(),
        )
        self._on_terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        """Show that it begins."""
        if self._on_terminal:
            with output.lenient(sys.stderr):
                self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        if self._on_terminal:
            with output.lenient(sys.stderr):
                self._bar.__exit__(kind, error, traceback)

    def note(self, result: NodeResult) -> None:
        """Show a result."""
        self._counts[result.outcome] += 1
        if self._on_terminal:
            with output.lenient(sys.stderr):
                self._bar.update(1)
        else:
            reason = f": {result.error}" if result.error else ""
            output.tell(f"{self._names[result.uuid]}: {result.outcome}{reason}")

    def _troubles(self) -> str:
        failed = self._counts[Outcome.FAILED]
        return f"{failed} failed" if failed else ""
