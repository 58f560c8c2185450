# SPDX-License-Identifier: Apache-2.0
"""Reads a YAML file that people write, and says where it is none; values are never repeated."""

import os
from typing import Any

import yaml

from bm_shim.migrate.errors import MappingError

# Of integers. Not all that look so are decimal: 042 is 34, and 1:30 is 90.
_INTEGER = "tag:yaml.org,2002:int"


class _BadKey(yaml.constructor.ConstructorError):
    pass


class _Loader(yaml.SafeLoader):
    """Refuses keys that its base takes otherwise than people: one that is there twice, 042."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = set()
        # A tag can make something else of a mapping; its base refuses that.
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in keys:
                    problem = f"the key {key.value} is there twice"
                    raise _BadKey(problem=problem, problem_mark=key.start_mark)
                number = self.construct_object(key) if key.tag == _INTEGER else key.value
                if key.value != str(number):
                    problem = f"the key {key.value} is {number} in YAML"
                    raise _BadKey(problem=problem, problem_mark=key.start_mark)
                keys.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def load(path: str | os.PathLike[str]) -> object:
    """Return what the one document of a file holds; None when it is empty.

    :raises MappingError: there is no such file, or it is no YAML
    """
    try:
        with open(path, "rb") as file:
            return _Loader(file.read().decode("utf-8-sig")).get_single_data()
    except OSError as error:
        raise MappingError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MappingError(f"{path} cannot be read: it is no text in UTF-8") from None
    # ValueError: of Python, for what looks like a date or a number and is none.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MappingError(f"{path}{_fault(error)}") from None


def _fault(error: Exception) -> str:
    """Say where a text is no YAML, and why where that does not repeat a value."""
    line, reason = "", "not valid YAML; texts with special characters are put in quotes"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        line = f", line {error.problem_mark.line + 1}"
    # Of the others some name aliases and tags, which a password in want of quotes may be.
    if isinstance(error, yaml.scanner.ScannerError | _BadKey) and error.problem:
        reason = error.problem
    return f"{line}: {reason}"
