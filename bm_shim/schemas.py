# SPDX-License-Identifier: Apache-2.0
"""What the body of a request may hold, and the query of a list of servers.

Unknown keys are ignored, as the old server ignored them. Numbers may come as text, as they did
from XML and from careless scripts. Where the old server answered 500 to nonsense, or stored it,
these schemas say what is wrong with it.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import regex
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load, validate
from oslo_utils import strutils, timeutils

from bm_shim.errors import BadRequest
from bm_shim.legacy_ids import DERIVED_FROM, HIGHEST_ID
from bm_shim.model import InterfaceMatch, NewInterface, NewNode, ServerQuery
from bm_shim.server_query import ATTRIBUTES, PATTERNS

#: nova-baremetal's rule (Icehouse, Juno), wording included. Other spellings never worked.
MAC = re.compile(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")
MAC_MESSAGE = "Must specify address in the form of xx:xx:xx:xx:xx:xx"
NO_MATCH_MESSAGE = "Must specify id or address"
NO_REBOOT_TYPE_MESSAGE = "Missing argument 'type' for reboot"
REBOOT_TYPE_MESSAGE = "Argument 'type' for reboot is not HARD or SOFT"
LIMIT_MESSAGE = "limit param must be an integer"
NEGATIVE_LIMIT_MESSAGE = "limit param must be positive"
CHANGES_SINCE_MESSAGE = "Invalid changes-since value"

#: The old server's own words, which name the field themselves.
_LEGACY_MESSAGES = {
    MAC_MESSAGE,
    NO_MATCH_MESSAGE,
    NO_REBOOT_TYPE_MESSAGE,
    REBOOT_TYPE_MESSAGE,
    LIMIT_MESSAGE,
    NEGATIVE_LIMIT_MESSAGE,
    CHANGES_SINCE_MESSAGE,
}

#: The columns of nova_bm were 32-bit integers and texts of this length.
_MAX_INTEGER = 2**31 - 1
MAX_TEXT = 255

DIGITS = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")


_UUID = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


class MacAddress(fields.Field[str]):
    """A MAC address in the one spelling that the old server took, kept as it is."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and MAC.fullmatch(value):
            return value
        raise ValidationError(MAC_MESSAGE)


class LegacyInteger(fields.Integer):
    """A whole number, or its digits as text."""

    def __init__(self, *, maximum: int = _MAX_INTEGER, **kwargs: Any) -> None:
        in_range = validate.Range(min=0, max=maximum)
        super().__init__(strict=True, allow_none=True, validate=in_range, **kwargs)

    def _validated(self, value: Any) -> int:
        # Not left to int(), which also takes "1_000" and the digits of other scripts.
        digits = isinstance(value, str) and DIGITS.fullmatch(value)
        # For JSON, 8.0 is 8.
        if digits or (isinstance(value, float) and value.is_integer()):
            value = int(value)
        return super()._validated(value)


class LegacyText(fields.String):
    """A text that fits the old column and that Ironic's database can store.

    Integers become one, as they did in the old column (a ``datapath_id`` of 0 reads back ``"0"``):
    scripts that wrote a password of digits without quotes worked.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            allow_none=True,
            validate=validate.And(validate.Length(max=MAX_TEXT), check_storable),
            **kwargs,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return super()._deserialize(value, attr, data, **kwargs)


class LegacyUuid(fields.Field[str | None]):
    """A UUID, as text in its canonical spelling; empty is none, as it was."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:
        if value == "":
            return None
        # Not left to uuid.UUID(), which also takes braces, blanks and underscores.
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise ValidationError("Not a valid UUID.")
        return str(uuid.UUID(value))


def check_storable(text: str) -> None:
    """Refuse a text that databases, or UTF-8, have no place for.

    :raises ValidationError: it holds a NUL, or half of a surrogate pair
    """
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValidationError("Not a valid string.")


class _LegacySchema(Schema):
    class Meta:
        unknown = EXCLUDE


class NewNodeSchema(_LegacySchema):
    """The ``node`` object of create. No key is required.

    ``task_state`` is not taken: Ironic's provision state is what it is. ``deploy_key`` is not: it
    was a secret of a deployment under way.
    """

    id = LegacyInteger(maximum=DERIVED_FROM - 1)
    uuid = LegacyUuid(allow_none=True)
    cpus = LegacyInteger()
    memory_mb = LegacyInteger()
    local_gb = LegacyInteger()
    pm_address = LegacyText()
    pm_user = LegacyText()
    pm_password = LegacyText()
    terminal_port = LegacyInteger()
    prov_mac_address = MacAddress(allow_none=True)
    instance_uuid = LegacyUuid(allow_none=True)
    service_host = LegacyText()
    pxe_config_path = LegacyText()
    instance_name = LegacyText()
    image_path = LegacyText()
    root_mb = LegacyInteger()
    swap_mb = LegacyInteger()
    ephemeral_mb = LegacyInteger()
    preserve_ephemeral = fields.Boolean(allow_none=True)

    #: Columns that Ironic has no place for.
    FACTS = (
        "service_host",
        "pxe_config_path",
        "instance_name",
        "image_path",
        "root_mb",
        "swap_mb",
        "ephemeral_mb",
        "preserve_ephemeral",
    )

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> NewNode:
        # 0 was never an id: the old autoincrement column began at 1, and read 0 as "the next".
        data["id"] = data.get("id") or None
        facts = {name: data.pop(name) for name in self.FACTS if name in data}
        return NewNode(**data, facts=facts)


class NewInterfaceSchema(_LegacySchema):
    """The ``add_interface`` object."""

    address = MacAddress(
        required=True, error_messages={"required": MAC_MESSAGE, "null": MAC_MESSAGE}
    )
    datapath_id = LegacyText()
    port_no = LegacyInteger()

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> NewInterface:
        return NewInterface(**data)


class InterfaceMatchSchema(_LegacySchema):
    """The ``remove_interface`` object: ``id``, ``address``, or both of the same interface.

    Empty values count as not given, as they did. An id or address that nothing can have is
    malformed; for the old server it was one that this node does not have.
    """

    id = LegacyInteger(maximum=HIGHEST_ID - 1)
    address = fields.String(allow_none=True)

    @pre_load
    def _drop_empty(self, data: Mapping[str, object], **kwargs: Any) -> dict[str, object]:
        given = {name: value for name, value in data.items() if value not in ("", None)}
        # As a text it is not empty, but an id that no interface has.
        if given.get("id") is not False and given.get("id") == 0:
            del given["id"]
        return given

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> InterfaceMatch:
        match = InterfaceMatch(**data)
        if match == InterfaceMatch():
            raise ValidationError(NO_MATCH_MESSAGE)
        return match


class RebootType(fields.Field[str]):
    """``SOFT`` or ``HARD``, in any letter case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and value.upper() in ("SOFT", "HARD"):
            return value.upper()
        raise ValidationError(REBOOT_TYPE_MESSAGE)


class RebootSchema(_LegacySchema):
    """The ``reboot`` object. Loads whether it is a soft one."""

    type = RebootType(
        required=True,
        error_messages={"required": NO_REBOOT_TYPE_MESSAGE, "null": REBOOT_TYPE_MESSAGE},
    )

    @post_load
    def _make(self, data: dict[str, str], **kwargs: Any) -> bool:
        return data["type"] == "SOFT"


def _limit(value: str) -> int:
    if not DIGITS.fullmatch(value):
        raise ValidationError(LIMIT_MESSAGE)
    if int(value) < 0:
        raise ValidationError(NEGATIVE_LIMIT_MESSAGE)
    return int(value)


def _all_tenants(value: str) -> bool:
    """Read whether; a parameter without a value says yes, as in Nova."""
    try:
        return value == "" or bool(strutils.bool_from_string(value, strict=True))
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _point_in_time(value: str) -> datetime:
    try:
        return timeutils.parse_isotime(value)
    except ValueError:
        raise ValidationError(CHANGES_SINCE_MESSAGE) from None


def _pattern(value: str) -> regex.Pattern[str]:
    try:
        return regex.compile(value)
    except regex.error:
        raise ValidationError("Not a valid regular expression.") from None


class ServerQuerySchema(_LegacySchema):
    """The query of a list of servers: how much, of whom, and which.

    ``sort_key`` and ``sort_dir`` are not taken: there is one order.
    """

    limit = fields.Function(deserialize=_limit)
    marker = fields.String()
    all_tenants = fields.Function(deserialize=_all_tenants)
    # What is neither yes nor no is no, as in Nova.
    deleted = fields.Function(deserialize=strutils.bool_from_string)
    status = fields.List(fields.String())
    changes_since = fields.Function(deserialize=_point_in_time, data_key="changes-since")
    name = fields.Function(deserialize=_pattern)
    instance_name = fields.Function(deserialize=_pattern)

    @post_load(pass_original=True)
    def _make(
        self, data: dict[str, Any], original: Mapping[str, Any], **kwargs: Any
    ) -> ServerQuery:
        patterns = {name: data.pop(name) for name in PATTERNS if name in data}
        equal = {name: original[name] for name in ATTRIBUTES if name in original}
        data["status"] = frozenset(status.upper() for status in data.get("status", ()))
        return ServerQuery(**data, patterns=patterns, equal=equal)


def load_server_query(query: Mapping[str, list[str]]) -> ServerQuery:
    """Read the query of a list of servers.

    Of a parameter that comes several times the last one counts, but of ``status`` each.

    :raises BadRequest: a value is malformed
    """
    last = {name: values[-1] for name, values in query.items()}
    found: ServerQuery = _load(ServerQuerySchema(), {**last, "status": query.get("status", [])})
    return found


def load(schema: Schema, body: Mapping[str, object], key: str) -> Any:
    """Read the object under ``key`` of a body.

    :raises BadRequest: it is missing, is not an object, or breaks the schema; the message names
        the field and never repeats its value
    """
    value = body.get(key)
    if not isinstance(value, dict):
        raise BadRequest(f"Invalid input: '{key}' must be an object.")
    return _load(schema, value)


def _load(schema: Schema, value: Mapping[str, object]) -> Any:
    try:
        return schema.load(value)
    except ValidationError as error:
        raise BadRequest(_describe(error)) from None


def _describe(error: ValidationError) -> str:
    """Put marshmallow's messages in one line; the old server's own stand alone."""
    problems = []
    for name, messages in error.messages_dict.items():
        for message in messages:
            legacy = message in _LEGACY_MESSAGES
            problems.append(message if legacy else f"Invalid input for '{name}': {message}")
    return " ".join(problems)
