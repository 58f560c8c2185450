# SPDX-License-Identifier: Apache-2.0
"""The distributions as ``make dist`` builds them; the wheel, in an environment without extras."""

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest

import bm_shim

ROOT = Path(__file__).parents[2]
#: What those need who change bm-shim; all other extras are for users.
DEVELOPERS_EXTRAS = {"test", "lint", "docs", "bench"}
#: What options of the service need.
SERVICE_EXTRAS = {"identity-bridge"}
#: With which arguments a subcommand does more than help; others need none.
ARGUMENTS = {"migrate": ["--nova-bm-db", "sqlite:///nova_bm.sqlite", "--dry-run"]}
GENERATORS = {
    "bm-shim.conf.sample": ("oslo-config-generator", "config-generator.conf"),
    "policy.yaml.sample": ("oslopolicy-sample-generator", "policy-generator.conf"),
}


@dataclass(frozen=True)
class Installed:
    """An environment into which only the wheel was installed."""

    path: Path

    def run(
        self, program: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, without anything of this checkout in reach."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "OS_"))}
        return subprocess.run(
            [self.path / "bin" / program, *arguments],
            cwd=self.path,
            env={**inherited, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def output(
        self, program: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run one of its programs, which must succeed, and return what it prints."""
        done = self.run(program, *arguments, environment=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the distributions are; the wheel is built from the source distribution."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return directory


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return dist / f"bm_shim-{bm_shim.__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = f"bm_shim-{bm_shim.__version__}.dist-info/METADATA"
        return HeaderParser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    environment = Installed(tmp_path_factory.mktemp("installed") / "venv")
    subprocess.run([sys.executable, "-m", "venv", environment.path], check=True)
    constraints = str(ROOT / "constraints.txt")
    environment.output("pip", "--quiet", "install", "--constraint", constraints, str(wheel))
    return environment


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment variable that names a configuration."""
    file = tmp_path_factory.mktemp("etc") / "bm-shim.conf"
    file.write_text(
        "[api]\nauth_strategy = noauth\n"
        "[ironic]\nauth_type = none\nendpoint_override = http://127.0.0.1:9\n"
    )
    return {"BM_SHIM_CONFIG": str(file)}


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "bm_shim").rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    data = f"bm_shim-{bm_shim.__version__}.data/"
    assert {name for name in held if not name.startswith(data)} == package


def test_the_wheel_says_what_it_is(metadata: Message) -> None:
    assert metadata["Name"] == "bm-shim"
    assert metadata["Version"] == bm_shim.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (ROOT / "README.md").read_text()
    classifiers = metadata.get_all("Classifier") or []
    assert "Environment :: OpenStack" in classifiers
    # A license expression takes the place of these, and indexes refuse both together.
    assert not [each for each in classifiers if each.startswith("License ::")]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no git checkout")
def test_the_source_distribution_can_be_tested(dist: Path) -> None:
    """It holds what git does, but for git's own files."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        held = {name.partition("/")[2] for name in source.getnames()}
    assert set(tracked.stdout.split()) - held == {".gitignore"}


def test_dependencies_agree(installed: Installed) -> None:
    installed.output("pip", "check")


def test_no_extra_is_installed(installed: Installed) -> None:
    """Else the tests below would say nothing."""
    present = installed.output("pip", "list", "--format", "freeze").casefold()
    for name in ("ironic", "keystone", "sqlalchemy", "pytest"):
        assert f"\n{name}==" not in present


def test_the_command_knows_its_version(installed: Installed) -> None:
    said = installed.output("bm-shim", "--version")
    assert said == f"bm-shim, version {bm_shim.__version__}\n"


def test_every_subcommand_has_help(installed: Installed) -> None:
    listed = installed.output("bm-shim", "-h").partition("Commands:\n")[2]
    commands = [line.split()[0] for line in listed.splitlines() if line.strip()]
    assert "sandbox" in commands
    for command in commands:
        assert installed.output("bm-shim", command, "-h").startswith(f"Usage: bm-shim {command}")


def test_a_subcommand_says_which_extra_it_lacks(installed: Installed, metadata: Message) -> None:
    """Extras have the names of the subcommands that need them."""
    extras = set(metadata.get_all("Provides-Extra") or ()) - DEVELOPERS_EXTRAS - SERVICE_EXTRAS
    assert extras == {"migrate", "sandbox"}
    for extra in extras:
        done = installed.run("bm-shim", extra, *ARGUMENTS.get(extra, []))
        assert done.returncode != 0
        assert done.stdout == ""
        message = done.stderr.splitlines()[-1]
        assert message.startswith("Error: ")
        assert message.endswith(f": pip install 'bm-shim[{extra}]'")
        assert "Traceback" not in done.stderr


def test_the_service_needs_no_extra(installed: Installed, configured: Mapping[str, str]) -> None:
    settings = str(installed.path / "share/bm-shim/gunicorn.conf.py")
    installed.output(
        "gunicorn",
        "--check-config",
        "--config",
        settings,
        "bm_shim.wsgi:application",
        environment=configured,
    )


def test_the_bridge_says_which_extra_it_lacks(
    installed: Installed, configured: Mapping[str, str]
) -> None:
    options = {"OS_API__AUTH_STRATEGY": "keystone", "OS_IDENTITY_BRIDGE__ENABLED": "true"}
    environment = {**configured, **options}
    code = "try: import bm_shim.wsgi\nexcept Exception as error: print(error)"
    said = installed.output("python", "-c", code, environment=environment).strip()
    assert said.endswith("needs Flask-Limiter: pip install 'bm-shim[identity-bridge]'")


@pytest.mark.parametrize("sample", GENERATORS)
def test_the_oslo_tools_find_options_and_rules(
    installed: Installed, sample: str, tmp_path: Path
) -> None:
    """They make the very samples that are installed with it."""
    generator, settings = GENERATORS[sample]
    made = tmp_path / sample
    source = str(ROOT / "deploy" / settings)
    installed.output(generator, "--config-file", source, "--output-file", str(made))
    assert made.read_text() == (installed.path / "share/bm-shim" / sample).read_text()
