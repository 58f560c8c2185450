# SPDX-License-Identifier: Apache-2.0
"""The command's options and what it says when it cannot even begin."""

import builtins
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bm_shim.cmd.sandbox import sandbox as command
from bm_shim.sandbox import Sandbox, SandboxError
from bm_shim.sandbox import sandbox as sandbox_module


def test_help_names_every_option() -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    for option in ("--exec", "--nodes", "--workers", "--port", "--state-dir"):
        assert option in result.output


@pytest.mark.parametrize(("option", "value"), [("nodes", -1), ("workers", 0), ("port", 65536)])
def test_values_out_of_range_are_refused(option: str, value: int) -> None:
    result = CliRunner().invoke(command, [f"--{option}", str(value)])
    assert result.exit_code == 2
    assert f"Invalid value for '--{option}'" in result.output


def test_a_file_is_no_state_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(command, ["--state-dir", str(tmp_path / "file")])
    assert result.exit_code == 2
    assert "is a file" in result.output


def test_missing_servers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "_REQUIRED", ("gunicorn", "no_such_server"))
    with pytest.raises(SandboxError) as caught:
        Sandbox()
    assert str(caught.value) == (
        "The sandbox needs no_such_server: pip install 'bm-shim[sandbox]'"
    )


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import: Callable[..., object] = builtins.__import__

    def without_runner(name: str, *arguments: object, **options: object) -> object:
        if name == "bm_shim.sandbox":
            raise ModuleNotFoundError("No module named 'psutil'", name="psutil")
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_runner)
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 1
    assert result.output == "Error: The sandbox needs psutil: pip install 'bm-shim[sandbox]'\n"
