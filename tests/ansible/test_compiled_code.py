# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's compiled code on the node, by real modules on this machine, in a folder of the test's own."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from tests.probes import requires

from .conftest import Control
from .test_modules import result

# Keeps the form and the digest right, and has one module say where it came from.
PLANT = """
import hashlib, marshal, sys
whole = open(sys.argv[1], "rb").read()
form, codes = whole[: whole.index(b"\\n") + 1], marshal.loads(whole[whole.index(b"\\n") + 33 :])
(name,) = [name for name in codes if name.endswith(".wirespeed.engine")]
codes[name] = compile("raise RuntimeError('from the kept code')", "planted", "exec")
body = marshal.dumps(codes)
open(sys.argv[1], "wb").write(form + hashlib.sha256(body).digest() + body)
"""

pytestmark = requires("root", "ansible")


def run(control: Control, *flags: str) -> None:
    answer = control.module("nic_info", {"names": ["lo"]}, *flags)
    assert answer.code == 0, answer.said
    assert result(answer)["nics"]["lo"]["ifindex"] == 1


def files(control: Control) -> list[Path]:
    return sorted((control.work / "cache").glob("*"))


@pytest.fixture
def kept(control: Control) -> Path:
    """The file that a first run leaves."""
    run(control)
    (file,) = files(control)
    return file


def test_a_run_leaves_one_file_that_is_roots_alone(kept: Path) -> None:
    assert [stat.S_IMODE(path.stat().st_mode) for path in (kept, kept.parent)] == [0o600, 0o700]


def test_the_next_run_takes_the_code_from_there(control: Control, kept: Path) -> None:
    subprocess.run(["/usr/bin/python3", "-c", PLANT, str(kept)], check=True)
    answer = control.module("nic_info", {"names": ["lo"]})
    assert "from the kept code" in answer.said


def test_the_next_run_writes_nothing(control: Control, kept: Path) -> None:
    written = kept.stat().st_mtime_ns
    run(control)
    assert kept.stat().st_mtime_ns == written


def test_a_damaged_file_is_as_if_it_were_not_there(control: Control, kept: Path) -> None:
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    run(control)
    assert files(control) == [kept]
    assert kept.read_bytes()[:50] == whole[:50]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_others_may_write_is_not_taken(control: Control, kept: Path, what: str) -> None:
    subprocess.run(["/usr/bin/python3", "-c", PLANT, str(kept)], check=True)
    path = kept if what == "file" else kept.parent
    path.chmod(path.stat().st_mode | 0o022)
    run(control)


def test_a_run_in_check_mode_keeps_nothing(control: Control) -> None:
    run(control, "--check")
    assert files(control) == []


def test_nothing_is_kept_where_that_is_turned_off(control: Control) -> None:
    answer = control.run(
        "ansible",
        *("-i", "localhost,", "-c", "local", "localhost", "-m", "wirespeed.xdp.nic_info", "-a", "names=lo"),
        WIRESPEED_CACHE="",
    )
    assert answer.code == 0, answer.said
    assert files(control) == []
