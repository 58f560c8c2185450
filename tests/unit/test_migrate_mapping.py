# SPDX-License-Identifier: Apache-2.0
"""The mapping file of the conversion."""

from pathlib import Path

import pytest

from bm_shim.migrate import mapping
from bm_shim.migrate.errors import MappingError
from bm_shim.migrate.model import NodeMapping, NodeRow, Override

UUID = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"
SECRET = "hunter2"

A_FULL_FILE = f"""\
defaults:
  driver: ipmi
  resource_class: baremetal.general
  driver_info:
    ipmi_priv_level: OPERATOR
    ipmi_port: 623
  properties:
    capabilities: boot_mode:bios
nodes:
  42:
    name: rack-1.u_7~a
    driver: redfish
    owner: 6c8a0e8e2bb04e3c8b4d7c3f4f5b8d10
    lessee: lab
    task_state: active
    driver_info:
      redfish_address: https://198.18.0.1
      redfish_password: "{SECRET}"
      redfish_verify_ca: false
    properties:
      vendor: hpe
  {UUID.upper()}:
    driver_info: {{ipmi_priv_level: ADMINISTRATOR}}
"""


def read(path: Path, text: str | bytes) -> NodeMapping:
    file = path / "mapping.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return mapping.read(file)


def test_a_full_file(tmp_path: Path) -> None:
    assert read(tmp_path, A_FULL_FILE) == NodeMapping(
        defaults=Override(
            driver="ipmi",
            resource_class="baremetal.general",
            driver_info={"ipmi_priv_level": "OPERATOR", "ipmi_port": 623},
            properties={"capabilities": "boot_mode:bios"},
        ),
        nodes={
            "42": Override(
                name="rack-1.u_7~a",
                driver="redfish",
                owner="6c8a0e8e2bb04e3c8b4d7c3f4f5b8d10",
                lessee="lab",
                task_state="active",
                driver_info={
                    "redfish_address": "https://198.18.0.1",
                    "redfish_password": SECRET,
                    "redfish_verify_ca": False,
                },
                properties={"vendor": "hpe"},
            ),
            UUID: Override(driver_info={"ipmi_priv_level": "ADMINISTRATOR"}),
        },
    )


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "defaults:\nnodes:\n",
        "defaults:\n  driver:\n  driver_info:\n    # ipmi_port: 623\n",
        "\ufeffdefaults: {}\n",
    ],
)
def test_what_is_left_empty_says_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == NodeMapping()


@pytest.mark.parametrize("key", ["42", "'42'", f"'{UUID}'", UUID.upper(), UUID.replace("-", "")])
def test_a_node_has_one_key_however_it_is_written(tmp_path: Path, key: str) -> None:
    [name] = read(tmp_path, f"nodes:\n  {key}:\n    # nothing yet\n").nodes
    assert name in ("42", UUID)


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    text = "nodes:\n  1: &pdu {driver: snmp, owner: a}\n  2:\n    <<: *pdu\n    owner: b\n"
    assert read(tmp_path, text).nodes == {
        "1": Override(driver="snmp", owner="a"),
        "2": Override(driver="snmp", owner="b"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nodes: {42: {driver_inof: x}}", "nodes.42.driver_inof: unknown field"),
        ("nodes: {42: {driver_inof: }}", "nodes.42.driver_inof: unknown field"),
        ("node: {}", "node: unknown field"),
        ("defaults: {name: a}", "defaults.name: unknown field"),
        ("defaults: {deploy_key: a}", "defaults.deploy_key: unknown field"),
        ("defaults: [a]", "defaults: invalid input type"),
        ("nodes: [42]", "nodes: not a valid mapping type"),
        ("nodes: {42: ipmi}", "nodes.42: invalid input type"),
        ("nodes: {0: {}}", "nodes.0: neither an integer id nor a UUID"),
        ("nodes: {-1: {}}", "nodes.-1: neither an integer id nor a UUID"),
        ("nodes: {true: {}}", "nodes.True: neither an integer id nor a UUID"),
        ("nodes: {4.2: {}}", "nodes.4.2: neither an integer id nor a UUID"),
        ("nodes: {rack-1: {}}", "nodes.rack-1: neither an integer id nor a UUID"),
        ("nodes: {42: {}, '42': {}}", "nodes.42: given twice"),
        (f"nodes: {{{UUID}: {{}}, {UUID.upper()}: {{}}}}", f"nodes.{UUID.upper()}: given twice"),
        ("defaults: {driver: 5}", "defaults.driver: not a valid string"),
        ("defaults: {driver: ''}", "defaults.driver: length must be between 1 and 255"),
        (
            f"defaults: {{resource_class: {'a' * 81}}}",
            "defaults.resource_class: length must be between 1 and 80",
        ),
        ("nodes: {1: {name: a b}}", "nodes.1.name: not a name that Ironic allows"),
        ("nodes: {1: {name: 42}}", "nodes.1.name: not a valid string"),
        ("defaults: {properties: 5}", "defaults.properties: not a valid mapping type"),
        ("defaults: {properties: {5: a}}", "defaults.properties.5: not a valid string"),
        ("defaults: {properties: {a: }}", "defaults.properties.a: field may not be null"),
        (
            "defaults: {properties: {a: 2014-05-01}}",
            "defaults.properties.a: must be put in quotes",
        ),
        ("defaults: {properties: {a: .nan}}", "defaults.properties.a: must be put in quotes"),
        ("defaults: {properties: &a {b: *a}}", "defaults.properties.b: must be put in quotes"),
        (
            "defaults: {driver_info: {ipmi_password: 0123}}",
            "defaults.driver_info.ipmi_password: must be put in quotes",
        ),
        (
            "defaults: {task_state: running}",
            "defaults.task_state: must be one of: active, building, deleted, deploy complete, "
            "deploy failed, deploying, error, initializing, prepared",
        ),
        ("nodes: {1: {a: b}}\nx: y", "x: unknown field; nodes.1.a: unknown field"),
    ],
)
def test_a_mistake_is_refused_by_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        read(tmp_path, text)
    place, _, problems = str(caught.value).partition(": ")
    assert place == str(tmp_path / "mapping.yaml")
    assert set(problems.split("; ")) == set(message.split("; "))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " is empty; it has the keys defaults and nodes"),
        ("# nodes:\n", " is empty; it has the keys defaults and nodes"),
        ("- 42\n", " is no mapping; it has the keys defaults and nodes"),
        ("nodes", " is no mapping; it has the keys defaults and nodes"),
        ("nodes:\n  1: {}\n  1: {}\n", ", line 3: the key 1 is there twice"),
        # Numbers of YAML that people would not take for what they are.
        ("nodes:\n  042: {}\n", ", line 2: the key 042 is 34 in YAML"),
        ("nodes: {1:30: {}}\n", ", line 1: the key 1:30 is 90 in YAML"),
        ("nodes: {0x1f: {}}\n", ", line 1: the key 0x1f is 31 in YAML"),
        ("nodes: {1_000: {}}\n", ", line 1: the key 1_000 is 1000 in YAML"),
        ("nodes:\n\t1: {}\n", ", line 2: found character '\\t' that cannot start any token"),
        ("nodes: {\n", ", line 2: not valid YAML"),
        ("--- {}\n--- {}\n", ", line 2: not valid YAML"),
        ("nodes: {? [1] : a}\n", ", line 1: not valid YAML"),
        ("nodes: !!map a\n", ", line 1: not valid YAML"),
        ("nodes: 2014-13-01\n", ": not valid YAML"),
        ("nodes: \x01\n", ": not valid YAML"),
        ("[" * 5000, ": not valid YAML"),
        (b"nodes: \xff\n", " cannot be read: it is no text in UTF-8"),
    ],
    ids=repr,
)
def test_what_is_no_mapping_file_is_refused(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(MappingError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/mapping.yaml{message}")


@pytest.mark.parametrize(
    "line",
    [
        f"driver_info: {{p: *{SECRET}}}",
        f"driver_info: {{p: !{SECRET} a}}",
        f"driver_info: {{p: !{SECRET}!a b}}",
        f"driver_info: {{p: %{SECRET}}}",
        f"driver_info: {{p: {SECRET}: a}}",
        f"driver_info: [{SECRET}]",
        f"driver_info: {SECRET}",
        f"task_state: {SECRET}",
        f"driver: [{SECRET}]",
        f"name: {SECRET}",
    ],
)
def test_no_message_repeats_a_value(tmp_path: Path, line: str) -> None:
    with pytest.raises(MappingError) as caught:
        read(tmp_path, f"defaults:\n  {line}\n")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_secrets_are_not_in_the_repr(tmp_path: Path) -> None:
    assert SECRET not in repr(read(tmp_path, A_FULL_FILE))


@pytest.mark.parametrize(
    ("name", "message"), [("missing", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        mapping.read(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name} cannot be read: {message}"


def test_the_id_goes_before_the_uuid_and_that_before_the_defaults() -> None:
    given = NodeMapping(
        defaults=Override(driver="a", owner="a", lessee="a", properties={"x": 1, "y": 1, "z": 1}),
        nodes={
            UUID: Override(
                owner="b", lessee="b", properties={"y": 2, "z": 2}, driver_info={"k": 2}
            ),
            "42": Override(lessee="c", properties={"z": 3}, name="c"),
        },
    )
    found = mapping.override_for(given, NodeRow(id=42, uuid=UUID.upper()))
    assert found == Override(
        driver="a",
        owner="b",
        lessee="c",
        name="c",
        properties={"x": 1, "y": 2, "z": 3},
        driver_info={"k": 2},
    )


@pytest.mark.parametrize("uuid", [None, "", "nonsense", UUID])
def test_a_node_that_is_not_mentioned_has_the_defaults(uuid: str | None) -> None:
    given = NodeMapping(defaults=Override(driver="a"), nodes={"42": Override(driver="b")})
    assert mapping.override_for(given, NodeRow(id=4, uuid=uuid)) == Override(driver="a")


def test_keys_that_no_node_has_are_told() -> None:
    given = NodeMapping(nodes=dict.fromkeys(["42", "43", UUID, "x"], Override()))
    rows = [NodeRow(id=43), NodeRow(id=1, uuid=UUID.upper())]
    assert mapping.unused(given, rows) == ("42", "x")
