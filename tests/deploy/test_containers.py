# SPDX-License-Identifier: Apache-2.0
"""The container file and the manifests for Kubernetes."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from daemons import find_program
from keystoneauth1 import loading
from oslo_config import cfg

from bm_shim import conf as configuration
from bm_shim.app import create_app
from bm_shim.inventory import Inventory

from .support import DEPLOY, ROOT, run

CONTAINERFILE = DEPLOY / "Containerfile"
BASE = DEPLOY / "kubernetes" / "base"
EXAMPLE = DEPLOY / "kubernetes" / "example"

Manifest = dict[str, Any]

#: The oldest Kubernetes that is supported by anybody, and the newest that the validator knows.
VERSIONS = ("1.31", None)


# The container


def test_the_container_file_is_sound() -> None:
    assert run(find_program("hadolint"), CONTAINERFILE) == ""


def copied() -> list[str]:
    """What goes from the checkout into the image."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", CONTAINERFILE.read_text(), re.M)
    return [source for line in lines for source in line.split()[:-1]]


def test_all_that_the_image_is_made_of_is_there_and_let_in() -> None:
    ignored, *exceptions = [
        line
        for line in (ROOT / ".containerignore").read_text().splitlines()
        if line and not line.startswith(("#", "**"))
    ]
    assert ignored == "*"
    assert len(copied()) >= 5
    for source in copied():
        assert (ROOT / source).exists()
        assert any(fnmatchcase(f"!{source}", pattern) for pattern in exceptions), source
    assert {each.removeprefix("!") for each in exceptions} == set(copied())


def test_the_image_runs_as_a_numbered_user_and_builds_nothing() -> None:
    text = CONTAINERFILE.read_text()
    build, final = re.split(r"^FROM .*$", text, flags=re.M)[1:]
    assert "pip install" in build
    assert "RUN" not in final
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", final, re.M)


# Kubernetes


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    """The example, as it would be sent to the cluster."""
    built = run(find_program("kubectl"), "kustomize", EXAMPLE)
    return list(yaml.safe_load_all(built))


def find(manifests: list[Manifest], kind: str, name: str = "bm-shim") -> Manifest:
    (found,) = (m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_fit_the_schema(manifests: list[Manifest], version: str | None) -> None:
    assert len(manifests) >= 12
    for manifest in manifests:
        kubernetes_validate.validate(
            manifest, version or kubernetes_validate.latest_version(), strict=True
        )


def test_every_file_is_used() -> None:
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    files = {file.name for file in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == files


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            yield manifest["metadata"]["name"], manifest["spec"]["template"]


def test_pods_are_found_by_those_who_look_for_them(manifests: list[Manifest]) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(manifests)}
    selectors = {
        "Deployment": lambda spec: spec["selector"]["matchLabels"],
        "Service": lambda spec: spec["selector"],
        "PodDisruptionBudget": lambda spec: spec["selector"]["matchLabels"],
        "NetworkPolicy": lambda spec: spec["podSelector"]["matchLabels"],
    }
    looked_for = 0
    for manifest in manifests:
        if manifest["kind"] in selectors:
            selector = selectors[manifest["kind"]](manifest["spec"])
            assert selector.items() <= labels[manifest["metadata"]["name"]].items()
            looked_for += 1
    assert looked_for == 7
    scaled = find(manifests, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert find(manifests, scaled["kind"], scaled["name"])


def test_pods_are_as_restricted_as_can_be(manifests: list[Manifest]) -> None:
    """What the Pod Security Standard called `restricted` asks for, and a read-only root."""
    for name, pod in pods(manifests):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]
        for volume in spec.get("volumes", []):
            assert volume.keys() <= {"name", "configMap", "emptyDir"}


def test_the_user_is_that_of_the_image(manifests: list[Manifest]) -> None:
    user = find(manifests, "Deployment")["spec"]["template"]["spec"]["securityContext"][
        "runAsUser"
    ]
    assert f"USER {user}:{user}" in CONTAINERFILE.read_text()


def test_ports_have_the_names_that_are_used(manifests: list[Manifest]) -> None:
    spec = find(manifests, "Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    (port,) = container["ports"]
    assert port == {"name": "http", "containerPort": 8774}
    (exposed,) = find(manifests, "Service")["spec"]["ports"]
    assert (exposed["name"], exposed["targetPort"]) == ("http", "http")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        # Whatever Keystone and Ironic do.
        assert container[probe]["httpGet"] == {"path": "/healthcheck", "port": "http"}
    backends = [
        path["backend"]["service"]
        for rule in find(manifests, "Ingress")["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    assert backends == [{"name": "bm-shim", "port": {"name": "http"}}] * 2


@pytest.mark.parametrize(
    ("path", "goes"),
    [
        ("/v2.1/os-baremetal-nodes", True),
        ("/v2/p1/os-baremetal-nodes/42", True),
        ("/v1.1/p1/os-baremetal-nodes.json", True),
        ("/v2.1/os-baremetal-nodes/42/action", True),
        ("/v2/p1/extensions/os-baremetal-nodes", True),
        ("/v2.1/os-baremetal-nodesx", False),
        ("/v2.1/servers", False),
        ("/v2.1/extensions", False),
        ("/metrics", False),
        ("/healthcheck/deep", False),
        ("/", False),
    ],
)
def test_what_the_ingress_lets_through(manifests: list[Manifest], path: str, goes: bool) -> None:
    """As ingress-nginx reads them: from the beginning, and no further than they go."""
    (rule,) = find(manifests, "Ingress")["spec"]["rules"]
    patterns = [each["path"] for each in rule["http"]["paths"]]
    assert any(re.match(pattern, path, re.IGNORECASE) for pattern in patterns) is goes


def test_calls_under_way_have_time_to_end(manifests: list[Manifest]) -> None:
    spec = find(manifests, "Deployment")["spec"]["template"]["spec"]
    pause = int(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    settings = (DEPLOY / "gunicorn.conf.py").read_text()
    graceful = re.search(r"^graceful_timeout = (\d+)$", settings, re.M)
    assert graceful is not None
    assert spec["terminationGracePeriodSeconds"] > pause + int(graceful[1])


def test_the_service_starts_with_the_configuration(
    manifests: list[Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with the passwords in the environment, where the secret puts them."""
    spec = find(manifests, "Deployment")["spec"]["template"]["spec"]
    volume = next(each for each in spec["volumes"] if each["name"] == "config")
    data = find(manifests, "ConfigMap", volume["configMap"]["name"])["data"]
    (reference,) = spec["containers"][0]["envFrom"]
    secret = find(manifests, "Secret", reference["secretRef"]["name"])["data"]
    for name in secret:
        monkeypatch.setenv(name, "pa55word")
    file = tmp_path / "bm-shim.conf"
    file.write_text(data["bm-shim.conf"])
    conf = configuration.load(config_files=[str(file)])
    create_app(conf, Inventory(conf))
    memcached = find(manifests, "Service", "bm-shim-memcached")
    port = memcached["spec"]["ports"][0]["port"]
    assert conf.keystone_authtoken.memcached_servers == [f"bm-shim-memcached:{port}"]
    assert conf.metrics.enabled
    assert passwords_of(conf) == {"keystone_authtoken": "pa55word", "ironic": "pa55word"}
    assert "password = " not in data["bm-shim.conf"].replace("auth_type = password", "")


def passwords_of(conf: cfg.ConfigOpts) -> Mapping[str, str]:
    """Return them; these options exist once the plugin of ``auth_type`` is loaded."""
    groups = ("keystone_authtoken", "ironic")
    for group in groups:
        loading.load_auth_from_conf_options(conf, group)
    return {group: conf[group].password for group in groups}
