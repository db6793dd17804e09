# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on real drivers: one playbook tunes, attaches and filters; a second run changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict

import pytest

from tests.depth import kernels
from tests.playbook import Play

from . import Node
from .site import DENIED_V4, E1000E, IGB, INTERFACES, NICS, VIRTIO, VMXNET3, Site, everything

KERNELS = kernels("WIRESPEED_SITE_KERNELS", "newest")  # test_upgrade.py has the others
COUNT = 400
VLAN = 5
MODEL = dict(zip(INTERFACES, ("igb", "virtio_net", "vmxnet3", "e1000e")))


@dataclass(frozen=True)
class Converged:
    """A node after check mode, a run and a second run."""

    kernel: str
    site: Site
    predicted: Play
    first: Play
    second: Play
    carrier_changes: Dict[str, int]
    programs: Dict[str, int]

    def native(self, interface: str) -> bool:
        """vmxnet3 has native XDP since Linux 6.6, e1000e in no kernel."""
        return interface != INTERFACES[E1000E] and not (interface == INTERFACES[VMXNET3] and self.kernel == "6.1")


@pytest.fixture(scope="module", params=KERNELS)
def converged(request: pytest.FixtureRequest, module_node: Callable[..., Node]) -> Converged:
    site = everything(module_node(request.param, *NICS))
    site.quiet()
    predicted = site.run("--check", "--diff")
    assert "xdp" not in site.link(INTERFACES[IGB]), "check mode attached something"
    first = site.run()
    site.quiet()
    site.join_vlan(VLAN)
    before = site.carrier_changes(), site.programs()
    return Converged(request.param, site, predicted, first, site.run(), *before)


def test_check_mode_lists_the_steps_that_the_run_performs_in_their_order(converged: Converged) -> None:
    steps = converged.site.steps(converged.predicted)
    assert steps == converged.site.steps(converged.first) and len(steps) > 8
    shown = [line.split(". ", 1)[1] for line in converged.predicted.output.splitlines() if ". " in line[:4]]
    assert shown == steps


def test_a_second_run_changes_nothing(converged: Converged) -> None:
    assert converged.second.changed(converged.site.node.name) == 0
    assert converged.site.carrier_changes() == converged.carrier_changes
    assert converged.site.programs() == converged.programs


@pytest.mark.parametrize("interface", INTERFACES, ids=MODEL.get)
def test_the_root_is_attached_by_a_pinned_link_in_the_best_mode(converged: Converged, interface: str) -> None:
    link = converged.site.link(interface)
    assert link["xdp"]["mode"] == (1 if converged.native(interface) else 2)
    assert link["xdp"]["prog"]["name"] == "wirespeed_root"
    pinned = converged.site.node.out(f"bpftool link show pinned /sys/fs/bpf/wirespeed/links/{interface}")
    assert f"prog {link['xdp']['prog']['id']}" in pinned


def test_rings_are_at_the_profiles_size(converged: Converged) -> None:
    sizes = {interface: converged.site.rings(interface)["rx"] for interface in INTERFACES}
    assert sizes == dict(zip(INTERFACES, (4096, 256, 4096, 4096)))


def test_igb_has_one_channel_for_each_cpu_and_an_equal_table(converged: Converged) -> None:
    assert converged.site.channels(INTERFACES[IGB])["combined"] == 2
    table = converged.site.table(INTERFACES[IGB])
    assert len(table) == 128 and table.count(0) == table.count(1) == 64


def test_virtio_net_reports_its_xdp_queues_on_top_of_its_channels(converged: Converged) -> None:
    assert converged.site.channels(INTERFACES[VIRTIO])["combined"] == 2 + 2
    assert set(converged.site.table(INTERFACES[VIRTIO])) == {0, 1}


def test_lro_is_off_on_vmxnet3(converged: Converged) -> None:
    assert converged.site.features(INTERFACES[VMXNET3])["large-receive-offload"] is False


@pytest.mark.parametrize("interface", INTERFACES, ids=MODEL.get)
def test_vlan_tags_stay_in_the_packet(converged: Converged, interface: str) -> None:
    assert converged.site.features(interface).get("rx-vlan-offload", False) is False


@pytest.mark.parametrize("index", range(len(INTERFACES)), ids=list(MODEL.values()))
def test_denied_frames_are_dropped_and_counted_and_all_others_delivered(converged: Converged, index: int) -> None:
    site, interface = converged.site, INTERFACES[index]
    site.watch_stack(interface)
    before = site.verdicts()
    with site.node.wire(index) as wire:
        denied4 = wire.stream(COUNT, source=DENIED_V4.replace("0/24", "7"))
        denied4 += wire.stream(COUNT // 4, source="198.18.0.200", vlans=[VLAN])
        denied6 = wire.stream(COUNT // 2, source="2001:db8:bad::7", destination="2001:db8::1")
        passed = wire.stream(COUNT, source="198.51.100.7")
        passed += wire.stream(COUNT // 4, source="2001:db8:900d::7", destination="2001:db8::1")
    total = denied4 + denied6 + passed
    site.until(lambda: sum(site.verdicts().values()) - sum(before.values()) >= total, "not every frame was judged")
    counted = {name: packets - before[name] for name, packets in site.verdicts().items()}
    assert counted == {
        "pass": passed,
        "not_inspected": 0,
        "deny_prefix_v4": denied4,
        "deny_prefix_v6": denied6,
        "malformed": 0,
    }
    site.until(lambda: site.stack(interface)[2] >= passed, "not every frame reached the stack")
    assert site.stack(interface) == [0, 0, passed]


def test_e1000e_is_served_with_a_warning_never_silently(converged: Converged) -> None:
    assert "e1000e has no native XDP" in converged.first.output
