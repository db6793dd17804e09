# SPDX-License-Identifier: GPL-3.0-or-later
"""What the drivers of the fleet refuse is told before any call, or where only the driver knows, explained after it.

Each case first asks the kernel with everybody's tools, so that the refusal is seen to be the driver's, then the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Tuple

import pytest

from tests.depth import deep, kernels

from . import Node
from .agent import Agent
from .site import E1000E, IGB, INTERFACES, NICS, VIRTIO, VMXNET3, Site

KERNELS = kernels("WIRESPEED_SETTINGS_KERNELS", "6.12")
SCRUBBER = {"pipeline": "scrubber"}


@dataclass(frozen=True)
class Case:
    """``command`` is what the kernel refuses, ``said`` what must stand in the plan's answer to ``asked``."""

    nic: int
    command: str
    asked: Dict[str, Any]
    said: Tuple[str, ...]


PREDICTED = {
    "igb: MTU beyond the buffers in use": Case(
        IGB, "ip link set {nic} mtu 4000", {"tuning": {"mtu": {"mtu": 4000}}}, ("4000", "3046")
    ),
    "igb: moderation below its least": Case(
        IGB, "ethtool -C {nic} rx-usecs 5", {"tuning": {"coalesce": {"rx-usecs": 5}}}, ("10 to 10000",)
    ),
    "igb: more channels than it has": Case(
        IGB, "ethtool -L {nic} combined 64", {"tuning": {"channels": {"combined": 64}}}, ("channels.combined", "64")
    ),
    "igb: a private flag that it does not have": Case(
        IGB, "ethtool --set-priv-flags {nic} no-such on", {"tuning": {"private_flags": {"no-such": True}}}, ("no-such",)
    ),
    "virtio_net: channels under a program": Case(
        VIRTIO,
        "ethtool -L {nic} combined 1",
        {"max_disruption": "pause", "tuning": {"channels": {"combined": 1}}},
        ("refuses channels while a native program is attached", "max_disruption is pause"),
    ),
    "virtio_net: rings larger than the host's": Case(
        VIRTIO, "ethtool -G {nic} rx 512", {"tuning": {"rings": {"rx": 512}}}, ("rings.rx", "512", "256")
    ),
    "virtio_net: a pause": Case(
        VIRTIO, "ethtool -A {nic} rx on", {"tuning": {"pause": {"rx": True}}}, ("pause", "virtio_net")
    ),
    "vmxnet3: channels": Case(
        VMXNET3,
        "ethtool -L {nic} combined 1",
        {"tuning": {"channels": {"combined": 1}}},
        ("channels", "vmxnet3"),
    ),
    "vmxnet3: FEC": Case(
        VMXNET3, "ethtool --set-fec {nic} encoding rs", {"tuning": {"fec": {"encoding": "rs"}}}, ("fec", "vmxnet3")
    ),
    "vmxnet3: moderation, which this version of the device lacks": Case(
        VMXNET3, "ethtool -C {nic} rx-usecs 50", {"tuning": {"coalesce": {"rx-usecs": 50}}}, ("coalesce", "vmxnet3")
    ),
    "e1000e: channels": Case(
        E1000E, "ethtool -L {nic} combined 1", {"tuning": {"channels": {"combined": 1}}}, ("channels", "e1000e")
    ),
    "e1000e: an RSS table": Case(
        E1000E, "ethtool -X {nic} equal 1", {"tuning": {"rss": {"indirection": "equal"}}}, ("rss", "e1000e")
    ),
    "e1000e: native XDP": Case(
        E1000E,
        "bpftool net attach xdpdrv pinned /sys/fs/bpf/wirespeed/scrubber/root dev {nic}",
        {"mode": "native"},
        ("e1000e has no native XDP",),
    ),
}
USUAL = (
    "igb: MTU beyond the buffers in use",
    "virtio_net: channels under a program",
    "vmxnet3: moderation, which this version of the device lacks",
    "e1000e: native XDP",
)
EXPLAINED = {
    "igb: fewer channels than the table that was set names": Case(
        IGB,
        "ethtool -L {nic} combined 1",
        {"tuning": {"channels": {"combined": 1}, "rss": {"indirection": None}}},
        ("channels", "EINVAL", "indirection table"),
    ),
}


@pytest.fixture(scope="module", params=KERNELS)
def site(
    request: pytest.FixtureRequest, module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]
) -> Site:
    node = module_node(request.param, *NICS)
    found = Site(node, dict.fromkeys(INTERFACES, SCRUBBER), agent=module_agent(node))
    found.quiet()
    found.run()
    found.quiet()
    return found


def ask(site: Site, case: Case) -> Site:
    """The kernel's refusal first; then the same as an intent for that NIC."""
    name = INTERFACES[case.nic]
    refused = site.node.ssh(case.command.format(nic=name), check=False)
    assert refused.returncode != 0, f"`{case.command}` was not refused, so there is nothing to predict"
    return site.ask({name: {**SCRUBBER, **case.asked}})


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name, marks=() if name in USUAL else deep) for name, case in PREDICTED.items()]
)
def test_refusal_is_predicted(site: Site, case: Case) -> None:
    before = site.carrier_changes()
    asked = ask(site, case)
    predicted, run = asked.run("--check", check=False), asked.run(check=False)
    assert predicted.code == run.code == 2, "no refusal"
    assert predicted.output == run.output and all(part in run.output for part in case.said), run.output
    assert site.carrier_changes() == before


@pytest.mark.parametrize("case", EXPLAINED.values(), ids=EXPLAINED)
def test_refusal_that_only_the_driver_knows_is_explained_and_undone(site: Site, case: Case) -> None:
    asked = ask(site, case)
    play = asked.run(check=False)
    assert play.code == 2, "no refusal"
    assert all(part in play.output for part in (*case.said, "undone")), play.output
    site.quiet()
    assert site.drift() == []


@pytest.mark.parametrize(
    "nic",
    [
        pytest.param(IGB, id="igb"),
        pytest.param(VIRTIO, id="virtio_net", marks=deep),
        pytest.param(VMXNET3, id="vmxnet3", marks=deep),
    ],
)
def test_mtu_that_somebody_set_too_large_for_an_attach_is_told_with_its_cure(site: Site, nic: int) -> None:
    """Each driver refuses the attach at MTU 9000, and tells its reason to the kernel log at best."""
    name = INTERFACES[nic]
    if site.node.kernel == "6.1" and nic == VMXNET3:
        pytest.skip("probe: vmxnet3 of Linux 6.1 has no native XDP, and generic XDP takes any MTU")
    pinned = f"/sys/fs/bpf/wirespeed/links/{name}"
    site.node.ssh(f"bpftool link detach pinned {pinned}; rm -f {pinned}; ip link set {name} mtu 9000")
    try:
        refused = site.node.ssh(
            f"bpftool net attach xdpdrv pinned /sys/fs/bpf/wirespeed/scrubber/root dev {name}", check=False
        )
        play = site.ask({name: SCRUBBER}).run(check=False)
    finally:
        site.node.ssh(f"bpftool net detach xdpdrv dev {name}; ip link set {name} mtu 1500", check=False)
    site.run()
    site.quiet()
    assert refused.returncode != 0
    assert play.code == 2 and "Nothing was changed" in play.output and "Set tuning mtu" in play.output, play.output
