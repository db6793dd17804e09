# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook wirespeed.xdp.rollout on six machines, in batches of one, three and two, while all of them filter."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Callable, Iterator

import pytest

from tests.ansible.conftest import Control
from tests.playbook import collections_path
from tests.probes import requires
from tests.rollout import guard
from tests.rollout.fleet import Fleet, places
from tests.rollout.lab_member import LabMember
from tests.rollout.scenarios import *  # noqa: F403 - tests, of which this file has the fleet

from . import Node

pytestmark = [requires("ansible", "clang"), pytest.mark.deep]

MACHINES = {
    "canary": ("6.1", "igb"),
    "second-virtio": ("6.12", "virtio:queues=4:rss=on"),
    "second-vmxnet3": ("newest", "vmxnet3"),
    "second-igb": ("6.12", "igb"),
    "third-virtio": ("newest", "virtio:queues=4:rss=on"),
    "third-e1000e": ("6.1", "e1000e"),
}
Six = Fleet[LabMember]


@pytest.fixture(scope="module")
def made(module_node: Callable[..., Node], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Six]:
    work = tmp_path_factory.mktemp("fleet")
    manifest = guard.write(work)
    with contextlib.ExitStack() as stack:
        members = []
        for name, (kernel, nic) in MACHINES.items():
            members.append(LabMember(module_node(kernel, nic, name=name)))
            stack.callback(members[-1].close)
        control = Control(Path(collections_path()), work)
        yield Fleet(control, members, manifest, batches=[1, 3, 2], soak=2, patience=300)


@pytest.fixture
def fleet(made: Six) -> Six:
    """All as before, and no result of an earlier test."""
    made.apply(made.before)
    made.forget()
    return made


def test_a_host_that_loses_its_power_while_it_proves_itself_comes_back_as_it_was(fleet: Six) -> None:
    """With the role `boot`, and by itself; then a second run goes on."""
    lost = fleet[2]
    site = fleet.play("site", fleet.before, "--limit", lost.name, extra={"wirespeed_boot": True})
    assert site.code == 0, site.said
    expected = fleet.expected(2, {2: "unreachable"})
    with fleet.filtering(but=[lost]):
        with fleet.rolling_out(fleet.at_leisure) as run:
            fleet.until(lost.published_in_run, fleet.output)
            lost.power_off()
            fleet.until(lambda: run.poll() is not None, fleet.output)
            assert run.returncode == 2, fleet.output()
        lost.power_on()
    assert fleet.states() == expected
    with fleet.filtering():
        fleet.until(lambda: fleet.ended() == places(expected), lambda: f"not as expected: {fleet.ended()}")
        again = fleet.rollout()
        assert again.code == 0, again.said
        assert fleet.ended() == places(["changed"] * len(MACHINES))
