# SPDX-License-Identifier: Apache-2.0
"""Recorded requests and responses: where they are, and how they are compared.

A sample set is a directory. Its files are named as those of Nova's documentation were:
``baremetal-node-create-req.json``, ``baremetal-node-create-resp.xml`` and so on.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

#: Nova's own samples, which are not a part of this project.
RECORDED = Path(
    os.environ.get("BM_SHIM_LEGACY_SAMPLES")
    or Path(__file__).parents[2].parent / "shared" / "legacy-samples"
)
OWN = Path(__file__).parent / "samples"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{6}")


def sample_set(root: Path, name: str, suffix: str) -> Any:
    """Return a sample set, and which of its formats, as parameters of a test.

    Without the directory the test is skipped.
    """
    absent = pytest.mark.skipif(
        not root.is_dir(), reason=f"no samples in {root}; BM_SHIM_LEGACY_SAMPLES says where"
    )
    return pytest.param(root / name, suffix, id=f"{root.name}-{name}{suffix}", marks=absent)


def read(file: Path) -> Any:
    """Return the content of a response as data."""
    return as_data(file.read_text(), file.suffix)


def body_of(response: requests.Response, suffix: str) -> Any:
    """Return the body of a response as data, once it is of the type that it should be."""
    assert response.headers["Content-Type"] == f"application/{suffix[1:]}"
    return as_data(response.text, suffix)


def as_data(text: str, suffix: str) -> Any:
    """Return JSON as it is; of XML what it says, be it pretty-printed or not."""
    return json.loads(text) if suffix == ".json" else _element(ElementTree.fromstring(text))


def normalized(data: Any) -> Any:
    """Replace what a server chooses, if it has the form that it must have."""
    return _walk(data, _without_choices)


def without(data: Any, names: set[str]) -> Any:
    """Leave out keys (in XML attributes), wherever they are."""
    return _walk(data, lambda mapping: {k: v for k, v in mapping.items() if k not in names})


def _without_choices(mapping: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _CHOICES[key](value) if key in _CHOICES else value for key, value in mapping.items()
    }


def _walk(data: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(data, dict):
        return {key: _walk(value, change) for key, value in change(data).items()}
    if isinstance(data, list):
        return [_walk(value, change) for value in data]
    return data


def _element(element: ElementTree.Element) -> dict[str, Any]:
    assert not (element.text or "").strip()
    children = [_element(child) for child in element]
    return {"element": element.tag, "attributes": dict(element.attrib), "children": children}


def _id(value: object) -> object:
    if isinstance(value, str):
        return "ID" if value.isdecimal() and int(value) > 0 else value
    return 1 if type(value) is int and value > 0 else value


def _uuid(value: object) -> object:
    return "UUID" if isinstance(value, str) and _UUID.fullmatch(value) else value


def _updated_at(value: object) -> object:
    known = value is None or value == "None"
    return "TIME" if known or (isinstance(value, str) and _TIME.fullmatch(value)) else value


_CHOICES: dict[str, Callable[[object], object]] = {
    "id": _id,
    "uuid": _uuid,
    "updated_at": _updated_at,
}
