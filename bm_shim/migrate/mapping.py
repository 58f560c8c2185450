# SPDX-License-Identifier: Apache-2.0
"""Reads the mapping file: what an operator knows of machines and the database does not.

YAML with two keys. ``defaults`` is for all machines, ``nodes`` for single ones, by their integer
id or UUID; both hold the fields of :class:`~bm_shim.migrate.model.Override`.
"""

import json
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, cast

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, pre_load, validate

from bm_shim.migrate import strict_yaml
from bm_shim.migrate.errors import MappingError
from bm_shim.migrate.masking import is_secret
from bm_shim.migrate.model import NodeMapping, NodeRow, Override

#: What ``task_state`` of a node could be; Icehouse had all of them.
TASK_STATES = (
    "active",
    "building",
    "deleted",
    "deploy complete",
    "deploy failed",
    "deploying",
    "error",
    "initializing",
    "prepared",
)

_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_ID = re.compile(r"[1-9][0-9]{0,18}")
#: Of Ironic's nodes.
_NAME = re.compile(r"[A-Za-z0-9._~-]{1,255}\Z")


def read(path: str | os.PathLike[str]) -> NodeMapping:
    """Read a mapping file.

    :raises MappingError: there is no such file, it is no YAML, or not what it should be; the
        message names lines and keys, and repeats no value
    """
    document = strict_yaml.load(path)
    if not isinstance(document, dict):
        state = "is empty" if document is None else "is no mapping"
        raise MappingError(f"{path} {state}; it has the keys defaults and nodes")
    try:
        return cast(NodeMapping, _FileSchema().load(document))
    except ValidationError as error:
        raise MappingError(f"{path}: {'; '.join(_describe(error.messages))}") from None


def override_for(mapping: NodeMapping, row: NodeRow) -> Override:
    """Return what a mapping says of a node: by its id, else by its UUID, else to all.

    ``driver_info`` and ``properties`` are put together key by key.
    """
    merged = asdict(mapping.defaults)
    for name in reversed(_names(row)):
        for field, value in asdict(mapping.nodes.get(name, Override())).items():
            if isinstance(value, Mapping):
                merged[field] = {**merged[field], **value}
            elif value is not None:
                merged[field] = value
    return Override(**merged)


def holds_secrets(mapping: NodeMapping) -> bool:
    """Whether a mapping gives something that nobody else may know."""
    given = (mapping.defaults, *mapping.nodes.values())
    return any(is_secret(name) for override in given for name in override.driver_info)


def unused(mapping: NodeMapping, rows: Iterable[NodeRow]) -> tuple[str, ...]:
    """Return the keys of a mapping's nodes that none of the rows has."""
    known = {name for row in rows for name in _names(row)}
    return tuple(name for name in mapping.nodes if name not in known)


def _names(row: NodeRow) -> list[str]:
    """Return what a node may be called in a mapping, the foremost first."""
    names = [str(row.id)]
    if row.uuid and _UUID.fullmatch(row.uuid):
        names.append(str(uuid.UUID(row.uuid)))
    return names


def _node_key(key: object) -> str:
    """Return the one spelling of an integer id or UUID."""
    if not isinstance(key, bool) and _ID.fullmatch(str(key)):
        return str(key)
    if isinstance(key, str) and _UUID.fullmatch(key):
        return str(uuid.UUID(key))
    raise ValidationError("Neither an integer id nor a UUID.")


def _is_json(value: object) -> bool:
    """Whether a value is one in JSON as well."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


class _StrictSchema(Schema):
    class Meta:
        unknown = RAISE

    @pre_load
    def _drop_empty(self, data: Any, **kwargs: Any) -> Any:
        """Take a known key without a value for none: what was there may be a comment now."""
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if v is not None or k not in self.fields}


def _mapping(value: object) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise ValidationError("Not a valid mapping type.")
    return value


class _Settings(fields.Field[dict[str, object]]):
    """What Ironic takes as it is, so long as JSON can say it."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, object]:
        faults = {name: _fault_of(name, each) for name, each in _mapping(value).items()}
        if any(faults.values()):
            raise ValidationError({name: [fault] for name, fault in faults.items() if fault})
        return cast(dict[str, object], value)


def _fault_of(key: object, value: object) -> str | None:
    if not isinstance(key, str):
        return "Not a valid string."
    if value is None:
        return "Field may not be null."
    # YAML takes texts for dates, and passwords for numbers: 0123 is 83.
    if not _is_json(value) or (key.endswith("password") and not isinstance(value, str)):
        return "Must be put in quotes."
    return None


def _text(longest: int = 255) -> fields.String:
    return fields.String(validate=validate.Length(min=1, max=longest))


class _OverrideSchema(_StrictSchema):
    """What may be said of all nodes."""

    driver = _text()
    driver_info = _Settings()
    properties = _Settings()
    resource_class = _text(80)
    owner = _text()
    lessee = _text()
    task_state = fields.String(validate=validate.OneOf(TASK_STATES))

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Override:
        return Override(**data)


class _NodeSchema(_OverrideSchema):
    """What may be said of one."""

    name = fields.String(validate=validate.Regexp(_NAME, error="Not a name that Ironic allows."))


class _Nodes(fields.Field[dict[str, Override]]):
    """Overrides by the node's id or UUID."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, Override]:
        nodes: dict[str, Override] = {}
        problems: dict[str, Any] = {}
        for key, entry in _mapping(value).items():
            try:
                node = _node_key(key)
                if node in nodes:
                    raise ValidationError("Given twice.")
                nodes[node] = _NodeSchema().load({} if entry is None else entry)
            except ValidationError as error:
                problems[key] = error.messages
        if problems:
            raise ValidationError(problems)
        return nodes


class _FileSchema(_StrictSchema):
    defaults = fields.Nested(_OverrideSchema)
    nodes = _Nodes()

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> NodeMapping:
        return NodeMapping(**data)


def _describe(messages: Any, place: tuple[str, ...] = ()) -> Iterator[str]:
    """Put marshmallow's messages in the form ``nodes.42.driver_inof: unknown field``."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _describe(inner, place if key == "_schema" else (*place, str(key)))
        return
    for message in messages:
        text = message[0].lower() + message[1:].removesuffix(".")
        yield f"{'.'.join(place)}: {text}" if place else text
