# SPDX-License-Identifier: Apache-2.0
"""The README leads to what is there, and to all of it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PAGES = {path.stem for path in (ROOT / "doc/source").glob("*.rst")} - {"index"}


def _anchor(heading: str) -> str:
    """What a heading is called in links."""
    return "#" + re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))


ANCHORS = {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", README, re.MULTILINE)}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)]+)\)", README))))
def test_every_link_leads_somewhere(target: str) -> None:
    assert target in ANCHORS or (ROOT / target).exists()


def test_every_page_is_named() -> None:
    assert set(re.findall(r"\(doc/source/([\w-]+)\.rst\)", README)) == PAGES


def test_every_target_of_make_is_named() -> None:
    targets = set(re.findall(r"^([\w-]+):.* ##", MAKEFILE, re.MULTILINE))
    assert set(re.findall(r"`make ([\w-]+)", README)) == targets
