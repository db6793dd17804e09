# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures on the real kernel of this machine: namespaces, veth pairs, private bpffs and state; a residue check.

veth            one pair: veth.node.run(function, veth.ifname) runs in a worker inside the node's namespace
namespaces      the factory, for more: namespaces.netns(), namespaces.veth(queues=4)
sender          the program that sends frames as fast as the kernel takes them
places          private bpffs, run and state folders, exported as WIRESPEED_BPFFS, WIRESPEED_RUN, WIRESPEED_STATE
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Set

import pytest

from tests.probes import requires

from . import bpf_objects, netns, residue
from .bpf_objects import BpfObject
from .netns import Factory, Veth, command

OnNode = Callable[[Callable[[str], Any]], Any]


@dataclass(frozen=True)
class Places:
    """The three base folders of wirespeed, private to one test."""

    bpffs: Path
    run: Path
    state: Path


def pytest_collection_modifyitems(items: "list[pytest.Item]") -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(requires("root", "netns", "veth"))


@pytest.fixture(autouse=True)
def no_residue(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "Iterator[Set[BpfObject]]":
    """Fails a test that leaves anything behind. Yields the set where others put the BPF objects that must go."""
    prefix = netns.prefix_of(request.node.name)
    monkeypatch.setenv(residue.MARK, prefix)
    owned: Set[BpfObject] = set()
    state = residue.before(prefix, prefix, tmp_path)
    yield owned
    left = residue.after(state, owned)
    if left:
        pytest.fail("left behind: " + "; ".join(left), pytrace=False)


@pytest.fixture
def namespaces(request: pytest.FixtureRequest, no_residue: "Set[BpfObject]") -> Iterator[Factory]:
    factory = Factory(netns.prefix_of(request.node.name))
    try:
        yield factory
        no_residue |= _attached(factory)
    finally:
        factory.remove()


def _attached(factory: Factory) -> "Set[BpfObject]":
    links = [link for made in factory.made for link in made.links().values()]
    return {("prog", link["xdp"]["prog"]["id"]) for link in links if "prog" in link.get("xdp", {})}


@pytest.fixture
def veth(namespaces: Factory) -> Veth:
    """One pair with four queues on each end."""
    return namespaces.veth(queues=4)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_residue: "Set[BpfObject]") -> Iterator[Places]:
    made = Places(tmp_path / "bpffs", tmp_path / "run", tmp_path / "state")
    for name, folder in (("BPFFS", made.bpffs), ("RUN", made.run), ("STATE", made.state)):
        folder.mkdir(mode=0o700)
        monkeypatch.setenv(f"WIRESPEED_{name}", str(folder))
    monkeypatch.setenv("WIRESPEED_CACHE", str(tmp_path / "cache"))
    command("mount", "-t", "bpf", "bpf", str(made.bpffs))
    try:
        yield made
        no_residue |= set().union(*bpf_objects.pins(made.bpffs).values())
    finally:
        subprocess.run(["umount", str(made.bpffs)], check=True)


@pytest.fixture(scope="session")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of sender.c, compiled."""
    built = tmp_path_factory.mktemp("sender") / "sender"
    source = Path(__file__).with_name("sender.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(built), str(source)], check=True)
    return built


@pytest.fixture
def on_node(veth: Veth, places: Places) -> OnNode:
    """Runs a function of the NIC's name in the namespace of ``veth``'s node."""
    return lambda function: veth.node.run(function, veth.ifname)
