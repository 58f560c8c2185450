# SPDX-License-Identifier: Apache-2.0
"""The result as a picture."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .pairs import Spread
from .result import BARE, Comparison, Load, Result

_BLUE, _PALE, _GREY, _RED = "#1f6fb4", "#9cc3e4", "#6b7280", "#c2410c"

# Any: the stubs know the names of all settings, and take no other keys.
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9ca3af",
    "axes.titleweight": "bold",
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "xtick.color": _GREY,
    "ytick.color": "#111827",
    "svg.fonttype": "path",
    # The same picture for the same numbers.
    "svg.hashsalt": "bm-shim",
}


def draw(result: Result, path: Path) -> None:
    """Draw the comparisons with bare requests, and the callers at once.

    :param path: of the file to write; its suffix says in which format
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9.4, 4.1), layout="constrained", facecolor="white")
        left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
        bare = [each for each in result.comparisons if each.against == BARE]
        _draw_comparisons(left, bare)
        _draw_loads(right, result.loads)
        figure.supxlabel(
            f"{result.nodes:,} nodes, {result.ports:,} ports; medians, with quartiles",
            x=0.995, ha="right", fontsize=8, color=_GREY,
        )  # fmt: skip
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, metadata=metadata, dpi=150)


def _draw_comparisons(axes: Axes, comparisons: list[Comparison]) -> None:
    axes.set_title("Times as long as bare requests to Ironic")
    axes.invert_yaxis()
    axes.axvline(1, color=_GREY, linewidth=1, zorder=3)
    for row, each in enumerate(comparisons):
        color = _BLUE if each.of_the_shim else "#c9ced6"
        axes.barh(row, each.ratio.median, height=0.58, color=color, zorder=2)
        axes.errorbar(
            each.ratio.median, row, xerr=_whiskers(each.ratio),
            color="#111827", linewidth=1, capsize=2.5, zorder=4,
        )  # fmt: skip
        right = max(each.ratio.high, each.goal or 0) + 0.04
        axes.text(right, row, f"{each.ratio.median:.2f}", va="center", weight="bold")
        if each.goal is not None:
            axes.plot([each.goal] * 2, [row - 0.38, row + 0.38], color=_RED, linewidth=2, zorder=5)
    axes.plot([], [], color=_RED, linewidth=2, label="goal")
    axes.legend(loc="lower right", frameon=False, handlelength=1.2)
    axes.set_yticks(
        range(len(comparisons)), [each.what.replace(", ", ",\n") for each in comparisons]
    )
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, max(each.ratio.high for each in comparisons) + 0.35)


def _draw_loads(axes: Axes, loads: tuple[Load, ...]) -> None:
    axes.set_title("Callers at once wait, in lists of one")
    width = 0.36
    for place, load in enumerate(loads):
        for shift, spread, color in (
            (-width / 2, load.median, _BLUE),
            (width / 2, load.last, _PALE),
        ):
            axes.bar(place + shift, spread.median, width * 0.92, color=color, zorder=2)
            axes.errorbar(
                place + shift, spread.median, yerr=_whiskers(spread),
                color="#111827", linewidth=1, capsize=2.5, zorder=4,
            )  # fmt: skip
            axes.text(
                place + shift, spread.high + 0.05, f"{spread.median:.2f}", ha="center",
                weight="bold", fontsize=8.5,
            )  # fmt: skip
    axes.axhline(2, color=_RED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1, label="goal")
    axes.bar(0, 0, color=_BLUE, label="in the middle")
    axes.bar(0, 0, color=_PALE, label="the last")
    axes.legend(loc="upper left", frameon=False, handlelength=1)
    axes.set_xticks(range(len(loads)), [_load_label(load) for load in loads])
    axes.tick_params(axis="x", length=0, labelcolor="#111827")
    axes.set_ylim(0, max(2, *(load.last.high for load in loads)) + 0.7)


def _load_label(load: Load) -> str:
    callers = "1 caller" if load.callers == 1 else f"{load.callers} callers"
    reads = "1 list read" if load.ironic_lists == 1 else f"{load.ironic_lists} lists read"
    return f"{callers}\n{reads}"


def _whiskers(spread: Spread) -> list[list[float]]:
    return [[spread.median - spread.low], [spread.high - spread.median]]
