# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures themselves: a harness that overlooks something would make every other test worthless."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.probes import requires_bpf, requires_bpftool
from wirespeed.apply.executor import ApplyFailed, Outcome
from wirespeed.errors import KernelRefusal
from wirespeed.model.step import Action, Step

from . import bpf_objects, residue, worker
from .conftest import Places
from .netns import Factory, Veth, command, prefix_of


def names() -> "list[str]":
    return sorted(name for _, name in socket.if_nameindex())


def refuse() -> None:
    raise KernelRefusal("ethtool RINGS_SET ws0", 22, "rx too big")


def test_worker_sees_the_namespace_it_runs_in(veth: Veth) -> None:
    assert veth.node.run(names) == ["lo", "ws0"]


def test_worker_leaves_the_namespace_of_the_test_alone(veth: Veth) -> None:
    before = os.readlink("/proc/self/ns/net")
    veth.node.run(names)
    assert os.readlink("/proc/self/ns/net") == before


def test_exception_comes_back_with_its_attributes(veth: Veth) -> None:
    with pytest.raises(KernelRefusal, match="rx too big") as caught:
        veth.node.run(refuse)
    assert (caught.value.code, caught.value.reason) == (22, "rx too big")


def test_exception_inside_an_exception_comes_back_too(veth: Veth) -> None:
    def fail() -> None:
        cause = KernelRefusal("ethtool RINGS_SET ws0", 22, "rx too big")
        raise ApplyFailed(Step("ws0", Action.SET, "rings", {}, {}, "test", "test"), cause, Outcome(()), ())

    with pytest.raises(ApplyFailed, match="0 earlier step") as caught:
        veth.node.run(fail)
    assert isinstance(caught.value.cause, KernelRefusal) and caught.value.cause.code == 22


def test_result_that_cannot_be_carried_is_named(veth: Veth) -> None:
    with pytest.raises(worker.WorkerFailed, match="cannot be carried"):
        veth.node.run(lambda: lambda: None)


def test_worker_that_dies_is_an_error(veth: Veth) -> None:
    with pytest.raises(worker.WorkerFailed, match="died without an answer"):
        veth.node.run(os._exit, 3)


def test_worker_that_hangs_is_killed(veth: Veth) -> None:
    with pytest.raises(worker.WorkerFailed, match=r"no answer within 0\.2 s"):
        veth.node.run(os.read, os.pipe()[0], 1, timeout=0.2)


def test_veth_has_the_queues_asked_for(namespaces: Factory) -> None:
    pair = namespaces.veth(queues=3)
    link = pair.node.links()[pair.ifname]
    assert (link["num_rx_queues"], link["num_tx_queues"]) == (3, 3)


def test_places_are_exported(places: Places) -> None:
    assert os.environ["WIRESPEED_BPFFS"] == str(places.bpffs)


@requires_bpf
@requires_bpftool
def test_pins_are_seen_with_their_ids(places: Places) -> None:
    created = ["name", "ws_probe", "type", "array", "key", "4", "value", "4", "entries", "1"]
    command("bpftool", "map", "create", str(places.bpffs / "m"), *created)
    shown = json.loads(command("bpftool", "-j", "map", "show", "pinned", str(places.bpffs / "m")))
    assert bpf_objects.pins(places.bpffs) == {"m": {("map", shown["id"])}}


def test_left_process_is_found(tmp_path: Path) -> None:
    state = residue.before("ws-mark", prefix_of("nothing"), tmp_path)
    child = subprocess.Popen(["sleep", "60"], env={**os.environ, residue.MARK: "ws-mark"})
    try:
        assert [line for line in residue.after(state, set()) if str(child.pid) in line]
    finally:
        child.kill()
        child.wait()


def test_left_namespace_is_found(namespaces: Factory, tmp_path: Path) -> None:
    state = residue.before("ws-mark", namespaces.prefix, tmp_path)
    made = namespaces.netns()
    assert residue.after(state, set()) == [f"network namespace {made.name}"]


@requires_bpf
@requires_bpftool
def test_bpf_object_that_stays_is_found(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    created = ["name", "ws_probe", "type", "array", "key", "4", "value", "4", "entries", "1"]
    command("bpftool", "map", "create", str(places.bpffs / "m"), *created)
    owned = bpf_objects.pins(places.bpffs)["m"]
    monkeypatch.setattr(residue, "LOOKS", 3)
    state = residue.before("ws-mark", prefix_of("nothing"), tmp_path / "elsewhere")
    told = residue.after(state, owned)
    assert len(told) == len(owned)
    assert all(f"BPF map {number} " in " ".join(told) for _, number in owned)
