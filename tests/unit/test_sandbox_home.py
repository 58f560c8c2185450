# SPDX-License-Identifier: Apache-2.0
import stat
from pathlib import Path

import pytest

from bm_shim.sandbox.errors import Cancelled, SandboxError
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.options import Options, merged


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_temporary_home_is_private_and_goes_away() -> None:
    home = Home(None)
    path = home.path
    assert mode(path) == 0o700
    home.close()
    assert not path.exists()


def test_a_kept_home_remembers(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "state")
    password = home.password("admin")
    home.keep_port("shim", 8774)
    assert home.password("admin") == password != home.password("demo")
    home.close()

    home = Home(tmp_path / "new" / "state")
    assert home.password("admin") == password
    assert home.last_port("shim") == 8774
    assert home.last_port("ironic") == 0
    assert mode(home.path) == 0o700
    assert mode(home.path / "sandbox.json") == 0o600
    home.close()


def test_two_sandboxes_do_not_share_a_directory(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(SandboxError, match="in use by another sandbox"):
        Home(tmp_path)
    home.close()
    Home(tmp_path).close()


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SandboxError, match="neither empty nor"):
        Home(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", ["a?b", "50%", "a$b", "a;b", "a#b"])
def test_a_path_that_configuration_files_cannot_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SandboxError, match="has one of"):
        Home(tmp_path / name)


def test_a_damaged_state_is_reported(tmp_path: Path) -> None:
    Home(tmp_path).close()
    (tmp_path / "sandbox.json").write_text("{")
    for _ in range(2):  # the first attempt leaves no lock behind
        with pytest.raises(SandboxError, match="is damaged"):
            Home(tmp_path)


def test_a_directory_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SandboxError, match="cannot be used"):
        Home(tmp_path / "file" / "state")


def test_configuration_files(tmp_path: Path) -> None:
    home = Home(tmp_path)
    options: Options = {
        "DEFAULT": {"debug": True, "left_out": None},
        "database": {"connection": "a$b"},
    }
    path = home.write_config("x.conf", options)
    assert path.read_text() == "[DEFAULT]\ndebug = true\n[database]\nconnection = a$$b\n"
    assert mode(path) == 0o600
    home.close()


def test_passwords_are_taken_out_of_texts(tmp_path: Path) -> None:
    home = Home(tmp_path)
    password = home.password("admin")
    assert home.redact(f"login with {password} failed") == "login with *** failed"
    home.close()


def test_nothing_starts_while_the_sandbox_goes_down(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.check_open()
    home.closing.set()
    with pytest.raises(Cancelled):
        home.check_open()
    home.close()


def test_merged_options() -> None:
    base = {"a": {"x": 1, "y": 2}, "b": {"x": 3}}
    assert merged(base, {"a": {"y": None, "z": 4}, "c": {"x": 5}}) == {
        "a": {"x": 1, "y": None, "z": 4},
        "b": {"x": 3},
        "c": {"x": 5},
    }
