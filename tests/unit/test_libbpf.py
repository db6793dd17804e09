# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node without libbpf, root or bpffs is told; names that bpffs can hold."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirespeed.errors import KernelRefusal, MissingPrerequisite
from wirespeed.kernel import bpffs, libbpf
from wirespeed.pipeline.inventory import inventory
from wirespeed.pipeline.pins import Paths


@pytest.fixture
def fresh_library() -> Iterator[None]:
    libbpf.library.cache_clear()
    yield
    libbpf.library.cache_clear()


def absent(*_: Any, **__: Any) -> Any:
    raise OSError("libbpf.so.1: cannot open shared object file: No such file or directory")


class TooOld:
    @staticmethod
    def libbpf_major_version() -> int:
        return 0

    @staticmethod
    def libbpf_minor_version() -> int:
        return 8


def test_a_missing_libbpf_names_the_package(fresh_library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", absent)
    with pytest.raises(MissingPrerequisite, match="package libbpf1 on Debian"):
        libbpf.library()


def test_a_libbpf_that_is_too_old_is_said(fresh_library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: TooOld)
    with pytest.raises(MissingPrerequisite, match=r"libbpf is 0\.8, but 1\.1 or later is needed"):
        libbpf.library()


def test_a_node_without_libbpf_has_an_inventory_that_says_so(
    fresh_library: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", absent)
    found = inventory(Paths(tmp_path, tmp_path, tmp_path))
    assert (found.instances, found.links, found.libbpf) == ((), (), "")
    assert "libbpf1" in found.notes[0]


def test_without_root_pipelines_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingPrerequisite, match="need root"):
        bpffs.require(tmp_path)


def test_a_folder_that_does_not_exist_yet_is_judged_by_its_parent(tmp_path: Path) -> None:
    assert not bpffs.is_bpffs(tmp_path / "not" / "there")


@given(st.text(min_size=1, max_size=40))
def test_every_name_has_one_that_bpffs_takes(name: str) -> None:
    encoded = bpffs.encode(name)
    assert not set(encoded) & set("./")
    assert bpffs.decode(encoded) == name


def test_a_refusal_carries_the_last_words_of_libbpf() -> None:
    libbpf.messages.lines.append("map 'x': failed to create")
    with pytest.raises(KernelRefusal, match=r"BPF_MAP_CREATE x: EINVAL .*map 'x': failed to create"):
        libbpf.check(-22, "BPF_MAP_CREATE x")
    libbpf.messages.clear()


def test_the_paths_follow_the_environment() -> None:
    assert Paths.from_environment({"WIRESPEED_RUN": "/x"}) == Paths(run=Path("/x"))
