# SPDX-License-Identifier: Apache-2.0
"""The benchmark itself, with few nodes: that it runs to its end and says what it should."""

import json
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest

from . import chart
from .bench import CALLERS, measure
from .pairs import MIN_ROUNDS, Limits, Spread, alternate, ratios, rounds
from .result import Comparison, Load, Result

NODES = 6


@pytest.fixture(scope="module")
def result() -> Result:
    # At least as many rounds as there are, whatever time they take.
    return measure(NODES, Limits(rounds=2 * MIN_ROUNDS, seconds=0))


def test_everything_is_measured(result: Result) -> None:
    assert (result.nodes, result.ports) == (NODES, 2 * NODES)
    assert [each.what for each in result.comparisons] == [
        "list",
        "show",
        "list by python-ironicclient, full detail",
        "list",
        "create",
        "delete",
        "list kept by list_max_age",
        "cold start",
        "first list after it",
    ]
    for each in result.comparisons:
        assert 0 < each.ratio.low <= each.ratio.median <= each.ratio.high


def test_callers_at_once_share_what_is_read(result: Result) -> None:
    assert [load.callers for load in result.loads] == list(CALLERS)
    for load in result.loads:
        assert load.median.median <= load.last.median
        assert load.cpu_seconds.median > 0
        assert 30 < load.peak_mib < 150
        assert 1 <= load.ironic_lists <= load.callers
    # Lists of few nodes are so short that callers are late for the second.
    assert result.loads[-1].ironic_lists < CALLERS[-1] / 2


def test_it_is_told_as_json_as_a_table_and_as_a_picture(result: Result, tmp_path: Path) -> None:
    assert json.loads(result.to_json())["comparisons"][0]["goal"] == 1.1
    for each in result.comparisons:
        assert f"| {each.what} " in result.to_text()
    picture = tmp_path / "bench.svg"
    chart.draw(result, picture)
    assert ElementTree.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_the_table() -> None:
    spread = Spread(0.9, 1, 1.25)
    result = Result(
        1500,
        3000,
        (Comparison("list", "bare", spread, 1.1), Comparison("cold start", "a list", spread)),
        (Load(50, spread, spread, 2, spread, 99.6),),
    )
    assert result.to_text() == (
        "1,500 nodes, 3,000 ports. Medians, and quartiles in brackets.\n"
        "\n"
        "| What       | Takes               | times as long as | Goal   |\n"
        "| ---------- | ------------------- | ---------------- | ------ |\n"
        "| list       | 1.00 (0.90 to 1.25) | bare             | ≤ 1.10 |\n"
        "| cold start | 1.00 (0.90 to 1.25) | a list           |        |\n"
        "\n"
        "| Callers at once | Each waits, in lists of one caller | The last of them    "
        "| Lists read from Ironic | Processor, seconds  | Memory, MiB |\n"
        "| --------------- | ---------------------------------- | ------------------- "
        "| ---------------------- | ------------------- | ----------- |\n"
        "| 50              | 1.00 (0.90 to 1.25)                | 1.00 (0.90 to 1.25) "
        "| 2                      | 1.00 (0.90 to 1.25) | 100         |\n"
    )


def test_ratios_are_of_the_same_round() -> None:
    assert ratios([2, 30, 4], [1, 10, 4]) == (1.5, 2, 2.5)


def test_rounds_end_by_number_or_by_time_but_there_is_a_median() -> None:
    assert list(rounds(Limits(5, 60))) == [0, 1, 2, 3, 4]
    assert list(rounds(Limits(5, 0))) == [0, 1, 2]


def test_actions_take_turns() -> None:
    done: list[str] = []
    actions = {name: partial(done.append, name) for name in "ab"}
    times = alternate(actions, Limits(3, 60))
    assert "".join(done) == "ab" + "ab" + "ba" + "ab"
    assert [len(each) for each in times.values()] == [3, 3]
