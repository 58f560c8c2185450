# SPDX-License-Identifier: Apache-2.0
"""What our conversations can say of a response beside what gabbi can: the whole of its body.

``response_json`` and ``response_xml`` compare all of it, so that a key too many is a failure,
too. Where the server chooses a value, one of these stands in its place:

==============  =====================================================
``<integer>``   an integer from 1 that a double holds exactly
``<uuid>``      a UUID in its canonical spelling
``<time>``      ``2026-11-22T20:30:17.000000``; in XML with a blank
``<instant>``   ``2026-11-22T20:30:17Z``, as Nova writes times of servers
``<text>``      any text, but for the empty one
``/pattern/``   a text with a match of the pattern
==============  =====================================================

In XML, where all values are texts, ``<integer>`` is one in digits.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from gabbi.case import HTTPTestCase
from gabbi.handlers.base import ResponseHandler

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{6}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def differences(expected: object, actual: object, path: str = "$") -> Iterator[str]:
    """Tell where two JSON values differ; types count, the order of keys does not."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys()):
            if key not in actual:
                yield f"{path}.{key} is missing"
            elif key not in expected:
                yield f"{path}.{key} is there, as {actual[key]!r}"
            else:
                yield from differences(expected[key], actual[key], f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{path} has {len(actual)} elements instead of {len(expected)}: {actual!r}"
        for number, pair in enumerate(zip(expected, actual, strict=False)):
            yield from differences(*pair, f"{path}[{number}]")
    elif not _fits(expected, actual):
        yield f"{path} is {actual!r} instead of {expected!r}"


def as_data(xml: str) -> dict[str, Any]:
    """Turn XML into what :func:`differences` compares; white space between elements is nothing."""
    return _element_as_data(ElementTree.fromstring(xml))


def _element_as_data(element: ElementTree.Element) -> dict[str, Any]:
    return {
        "element": element.tag,
        "attributes": dict(element.attrib),
        "text": (element.text or "").strip(),
        "children": [_element_as_data(child) for child in element],
    }


def _fits(expected: object, actual: object) -> bool:
    match expected:
        case "<integer>" if isinstance(actual, str):
            return actual.isdecimal() and _fits(expected, int(actual))
        case "<integer>":
            return type(actual) is int and 0 < actual <= 2**53
        case "<uuid>":
            return isinstance(actual, str) and _UUID.fullmatch(actual) is not None
        case "<time>":
            return isinstance(actual, str) and _TIME.fullmatch(actual) is not None
        case "<instant>":
            return isinstance(actual, str) and _INSTANT.fullmatch(actual) is not None
        case "<text>":
            return isinstance(actual, str) and actual != ""
        case str() if len(expected) > 2 and expected[0] == expected[-1] == "/":
            return isinstance(actual, str) and re.search(expected[1:-1], actual) is not None
        case _:
            return type(expected) is type(actual) and expected == actual


class WholeBody(ResponseHandler):  # type: ignore[misc]
    """``response_json``: the JSON body, all of it."""

    test_key_suffix = "json"
    # gabbi wants to iterate; what is compared is the whole.
    test_key_value: dict[str, object] = {}  # noqa: RUF012

    def __call__(self, test: HTTPTestCase) -> None:
        expected = test.replace_template(test.test_data[self._key])
        if expected:
            _check(differences(expected, test.response_data))


class WholeXml(ResponseHandler):  # type: ignore[misc]
    """``response_xml``: the XML body, all of it; the order of attributes does not count."""

    test_key_suffix = "xml"
    test_key_value = ""

    def __call__(self, test: HTTPTestCase) -> None:
        expected = test.replace_template(test.test_data[self._key])
        if expected:
            # Placeholders hold what XML forbids in attributes.
            expected = re.sub(r'"<(\w+)>"', r'"&lt;\1&gt;"', expected)
            _check(differences(as_data(expected), as_data(test.output)))


def _check(found: Iterator[str]) -> None:
    if lines := "\n".join(found):
        raise AssertionError(lines)
