# SPDX-License-Identifier: GPL-3.0-or-later
"""The real mstconfig, as Debian ships it: its options, and what it says of a device that is none of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.probes import requires
from wirespeed.errors import NotSupported, ToolFailed
from wirespeed.kernel import mstconfig

pytestmark = [requires("mstconfig")]

NOT_THERE = "0000:ff:1f.7"


def test_it_knows_the_options_and_commands_that_are_used() -> None:
    text = subprocess.run(["mstconfig", "--help"], capture_output=True, text=True, check=False).stdout
    for word in ("-d|--dev <device>", "-e|--enable_verbosity", "-y|--yes", "i|show_confs", "q|query", "s|set"):
        assert word in text, word


@pytest.mark.parametrize("keys", [[], ["SRIOV_EN"]])
def test_a_device_that_it_cannot_open_is_an_error_in_its_words(keys: list) -> None:
    assert not Path(f"/sys/bus/pci/devices/{NOT_THERE}").exists()
    with pytest.raises(ToolFailed, match="ended with code 3: Failed to open the device"):
        mstconfig.query(NOT_THERE, keys)


def test_it_refuses_to_write_to_such_a_device() -> None:
    with pytest.raises(ToolFailed, match="-y set SRIOV_EN=1: ended with code 3: Failed to open the device"):
        mstconfig.write(NOT_THERE, {"SRIOV_EN": True})


def test_it_refuses_to_describe_such_a_device() -> None:
    with pytest.raises(ToolFailed, match="Failed to open the device"):
        mstconfig.words(NOT_THERE)


def test_without_it_the_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotSupported, match="mstflint"):
        mstconfig.query(NOT_THERE, [])
