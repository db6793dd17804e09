# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel's files on a disk: which are found, how they are unpacked, and what is said where they cannot be."""

from __future__ import annotations

import gzip
import lzma
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wirespeed.errors import BadInput, MissingPrerequisite, Place
from wirespeed.kernel import decompress, installed_kernel, module_options
from wirespeed.kernel.module_elf import ModuleElf

CONTENT = b"\x7fELF not really" * 50
HERE = Place("some.ko")


def install(root: Path, *releases: str) -> None:
    for release in releases:
        folder = root / "lib" / "modules" / release
        folder.mkdir(parents=True)
        (folder / "modules.dep").write_text("kernel/drivers/net/igb.ko.xz: kernel/dca.ko.xz\nkernel/dca.ko.xz:\n")


def test_releases_are_ordered_by_their_numbers(tmp_path: Path) -> None:
    install(tmp_path, "6.12.9-amd64", "6.1.0-40-amd64", "6.12.10-amd64", "6.13-rc1-amd64", "6.13-amd64")
    assert installed_kernel.releases(tmp_path) == [
        "6.1.0-40-amd64", "6.12.9-amd64", "6.12.10-amd64", "6.13-rc1-amd64", "6.13-amd64"
    ]  # fmt: skip


def test_the_beginning_of_a_release_stands_for_its_newest(tmp_path: Path) -> None:
    install(tmp_path, "6.1.0-40-amd64", "6.12.9-amd64", "6.12.10-amd64")
    assert installed_kernel.find("6.12", tmp_path).release == "6.12.10-amd64"
    assert installed_kernel.find("6.12.9", tmp_path).release == "6.12.9-amd64"


def test_a_release_that_is_not_installed_is_refused_with_those_that_are(tmp_path: Path) -> None:
    install(tmp_path, "6.1.0-40-amd64")
    with pytest.raises(BadInput, match=r"'6\.12' is no kernel of this node.*Installed are: 6\.1\.0-40-amd64"):
        installed_kernel.find("6.12", tmp_path)


@pytest.mark.parametrize("release", ["../../etc", "", "6.1/../..", "-x"])
def test_what_is_no_release_is_refused(tmp_path: Path, release: str) -> None:
    with pytest.raises(BadInput, match="Write a release as 'uname -r' does"):
        installed_kernel.find(release, tmp_path)


def test_modules_go_by_the_kernel_s_names(tmp_path: Path) -> None:
    install(tmp_path, "6.1.0")
    found = installed_kernel.find("6.1.0", tmp_path)
    assert sorted(found.modules) == ["dca", "igb"]
    assert installed_kernel.module_name("kernel/net/foo-bar.ko.zst") == "foo_bar"


def test_a_built_in_driver_tells_its_modinfo(tmp_path: Path) -> None:
    install(tmp_path, "6.1.0")
    folder = tmp_path / "lib/modules/6.1.0"
    (folder / "modules.builtin").write_text("kernel/drivers/net/virtio_net.ko\n")
    rows = ["virtio_net.alias=virtio:d00000001v*", "virtio_net.parm=napi_tx:bool", "other.alias=x"]
    (folder / "modules.builtin.modinfo").write_text("\0".join(rows) + "\0")
    found = installed_kernel.find("6.1.0", tmp_path).built_in
    assert found == {"virtio_net": (("alias", "virtio:d00000001v*"), ("parm", "napi_tx:bool"))}


def test_the_configuration_is_that_of_boot(tmp_path: Path) -> None:
    install(tmp_path, "6.1.0")
    assert installed_kernel.find("6.1.0", tmp_path).options is None
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / "config-6.1.0").write_text("CONFIG_BPF_SYSCALL=y\n# CONFIG_BPF_JIT is not set\n")
    assert installed_kernel.find("6.1.0", tmp_path).options == {"BPF_SYSCALL": "y"}


@pytest.mark.parametrize("packed", [CONTENT, lzma.compress(CONTENT), gzip.compress(CONTENT)])
def test_a_module_is_unpacked_by_what_it_begins_with(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "some.ko"
    path.write_bytes(packed)
    assert decompress.read(path) == CONTENT


def test_zstd_is_unpacked_by_the_command_where_the_library_is_not_there(monkeypatch: Any) -> None:
    if shutil.which("zstd") is None:
        pytest.skip("no command zstd here")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    packed = subprocess.run(["zstd", "-q"], input=CONTENT, capture_output=True, check=True).stdout
    assert decompress.unpack(packed, HERE) == CONTENT


def test_what_unpacks_zstd_is_named_where_nothing_does(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setattr(shutil, "which", lambda dummy: None)
    with pytest.raises(MissingPrerequisite, match=r"some\.ko is compressed with zstd.*python3-zstandard"):
        decompress.unpack(b"\x28\xb5\x2f\xfd rest", HERE)


@pytest.mark.parametrize("packed", [lzma.compress(CONTENT)[:8] + b"x" * 40, b"\x1f\x8b" + b"x" * 40,
                                    lzma.compress(CONTENT)[:-20], gzip.compress(CONTENT)[:-12]])  # fmt: skip
def test_a_damaged_module_is_refused(packed: bytes) -> None:
    with pytest.raises(BadInput, match=r"some\.ko: is damaged .*Install the kernel's package again"):
        decompress.unpack(packed, HERE)


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh", b"\x7fELF\x02\x01" + b"\xff" * 100])
def test_what_is_no_module_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match=r"some\.ko: is "):
        ModuleElf(data, HERE)


def test_module_options_come_from_modprobe_and_the_command_line(tmp_path: Path) -> None:
    for folder, content in (
        ("etc/modprobe.d/nic.conf", "# igb\noptions igb max_vfs=4 debug=1\nblacklist foo\n"),
        ("usr/lib/modprobe.d/nic.conf", "options igb max_vfs=9\n"),
        ("proc/cmdline", "root=/dev/sda1 quiet virtio-net.napi_tx=0 net.ifnames=0\n"),
    ):
        (tmp_path / folder).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / folder).write_text(content)
    found = [(each.module, each.parameter, each.value) for each in module_options.read(tmp_path)]
    assert found == [
        ("igb", "max_vfs", "4"), ("igb", "debug", "1"), ("virtio_net", "napi_tx", "0"), ("net", "ifnames", "0")
    ]  # fmt: skip
