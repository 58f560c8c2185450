# SPDX-License-Identifier: Apache-2.0
"""The comparisons of whole bodies notice what they should."""

import pytest

from .handlers import as_data, differences


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1, "b": [None, "x"]}, {"b": [None, "x"], "a": 1}),
        ("<integer>", 2**52),
        ("<integer>", "7"),
        ("<uuid>", "6a2f5c1e-8d0b-4c3a-9f7e-2b1d0c9e8f77"),
        ("<time>", "2026-11-22T20:30:17.000000"),
        ("<time>", "2026-11-22 20:30:17.000000"),
        ("<instant>", "2026-11-22T20:30:17Z"),
        ("<text>", "x"),
        ("/^x.z$/", "xyz"),
        ("/", "/"),
    ],
)
def test_equal(expected: object, actual: object) -> None:
    assert list(differences(expected, actual)) == []


@pytest.mark.parametrize(
    ("expected", "actual", "difference"),
    [
        ({"a": 1}, {}, "$.a is missing"),
        ({}, {"a": 1}, "$.a is there, as 1"),
        ({"a": 1}, {"a": "1"}, "$.a is '1' instead of 1"),
        ({"a": 1}, {"a": True}, "$.a is True instead of 1"),
        ({"a": 0}, {"a": None}, "$.a is None instead of 0"),
        ([1, 2], [1], "$ has 1 elements instead of 2: [1]"),
        ([1, [2]], [1, [3]], "$[1][0] is 3 instead of 2"),
        ({}, [], "$ is [] instead of {}"),
        ("<integer>", True, "$ is True instead of '<integer>'"),
        ("<integer>", 0, "$ is 0 instead of '<integer>'"),
        ("<integer>", 2**53 + 1, "$ is 9007199254740993 instead of '<integer>'"),
        ("<uuid>", "7", "$ is '7' instead of '<uuid>'"),
        ("<time>", "2026-11-22T20:30:17+00:00", None),
        ("<time>", None, "$ is None instead of '<time>'"),
        ("<instant>", "2026-11-22T20:30:17.000000", None),
        ("<text>", "", "$ is '' instead of '<text>'"),
        ("<text>", None, "$ is None instead of '<text>'"),
        ("/^x.z$/", "wxyz", "$ is 'wxyz' instead of '/^x.z$/'"),
    ],
)
def test_different(expected: object, actual: object, difference: str | None) -> None:
    found = list(differences(expected, actual))
    assert len(found) == 1
    assert difference is None or found == [difference]


@pytest.mark.parametrize(
    "other",
    [
        '<n a="1"><i/></n>',
        '<n a="1" b="3"><i/></n>',
        '<n a="1" b="2"/>',
        '<n a="1" b="2"><i/><i/></n>',
        '<n a="1" b="2"><i>x</i></n>',
        '<n xmlns="urn:x" a="1" b="2"><i/></n>',
    ],
)
def test_different_xml(other: str) -> None:
    assert list(differences(as_data('<n a="1" b="2"><i/></n>'), as_data(other)))


def test_equal_xml() -> None:
    pretty = as_data('<n b="2"\n a="1">\n  <i/>\n</n>')
    assert list(differences(as_data('<n a="1" b="2"><i></i></n>'), pretty)) == []
