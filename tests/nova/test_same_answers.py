# SPDX-License-Identifier: Apache-2.0
"""Every request is answered as nova answers it, but for the purposeful differences.

The shim has ``[api] response_format = ironic-proxy`` and ``read_only = true``. Both look at the
same Ironic with the same account, and check tokens with the same Keystone.
"""

import pytest

from .cases import CASES
from .differences import DIFFERENCES, Changed, Difference, Like
from .sides import Answer, Sides


def differences_of(name: str) -> list[Difference]:
    return [each for each in DIFFERENCES if each.is_about(name)]


def expected(expectation: Answer | Like | Changed | None, answer: Answer, sides: Sides) -> Answer:
    """Return what an expectation is where nova gives ``answer``."""
    match expectation:
        case None:
            return answer
        case Answer():
            return expectation
        case Like(case=other):
            return sides.nova.ask(CASES[other])
        case Changed(texts=texts):
            for old, new in texts:
                changed = answer.replaced(old, new)
                assert changed != answer, f"there is no {old!r} in {answer}"
                answer = changed
            return answer


@pytest.mark.parametrize("name", [name for name in CASES if not differences_of(name)])
def test_the_same_answer(name: str, sides: Sides) -> None:
    nova, shim = sides.ask(CASES[name])
    assert shim == nova


@pytest.mark.parametrize("name", [name for name in CASES if differences_of(name)])
def test_another_answer_on_purpose(name: str, sides: Sides) -> None:
    (difference,) = differences_of(name)
    nova, shim = sides.ask(CASES[name])
    assert nova == expected(difference.nova, nova, sides)
    assert shim == expected(difference.shim, nova, sides)
    assert shim != nova


@pytest.mark.parametrize(
    "pattern", [pattern for difference in DIFFERENCES for pattern in difference.cases]
)
def test_differences_are_about_something(pattern: str) -> None:
    alone = Difference("", (pattern,), Answer(0, (), ""), Answer(0, (), ""))
    assert any(alone.is_about(name) for name in CASES)


def test_there_are_answers_of_every_kind(sides: Sides) -> None:
    """Guards against sides that agree in failing."""
    statuses = {
        "list-v2.1": 200,
        "machine-nested": 200,
        "list-member": 403,
        "delete": 400,
        "show-unknown-uuid": 404,
        "create-type-text/html": 415,
        "new-header-2.36": 404,
        "new-header-abc": 400,
    }
    assert {name: sides.shim.ask(CASES[name]).status for name in statuses} == statuses
