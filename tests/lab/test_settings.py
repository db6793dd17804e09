# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of real drivers on three kernels: set, shown by everybody's tools, set once, as quiet as announced."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List

import pytest

from tests.depth import deep, kernels

from . import Node
from .agent import Agent
from .site import E1000E, IGB, INTERFACES, NICS, VIRTIO, VMXNET3, Site

KERNEL_SIDE = {
    "irq_affinity": {"cpus": "spread"},
    "xps": {"cpus": "spread"},
    "napi": {"defer-hard-irqs": 2, "gro-flush-timeout": 20000},
    "txqueuelen": {"txqueuelen": 2000},
    "rfs": {"flows-per-queue": 3000},
    "host": {"busy-poll": 50, "busy-read": 20, "rps-sock-flow-entries": 30000},
}
ONE_QUEUE = {key: values for key, values in KERNEL_SIDE.items() if key != "xps"}
TUNING: Dict[str, Dict[str, Any]] = {
    INTERFACES[IGB]: {**KERNEL_SIDE, "coalesce": {"rx-usecs": 50}, "rss_fields": {"udp4": "sdfn", "udp6": "sdfn"}},
    INTERFACES[VIRTIO]: KERNEL_SIDE,
    INTERFACES[VMXNET3]: KERNEL_SIDE,
    INTERFACES[E1000E]: {**ONE_QUEUE, "coalesce": {"rx-usecs": 125}},
}
QUIET = ("irq_affinity", "xps", "napi", "txqueuelen", "coalesce", "rss_fields", "rfs", "host")


KERNELS = kernels("WIRESPEED_SETTINGS_KERNELS", "6.12")


@pytest.fixture(scope="module", params=KERNELS)
def site(
    request: pytest.FixtureRequest, module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]
) -> Site:
    """Attached already, so that the settings are changed under a program."""
    node = module_node(request.param, *NICS)
    made = Site(node, {name: {"pipeline": "scrubber"} for name in INTERFACES}, agent=module_agent(node))
    made.quiet()
    made.run()
    made.quiet()
    return made


@pytest.fixture(scope="module")
def tuned(site: Site) -> Site:
    before = site.carrier_changes()
    wanted = site.ask({name: {"pipeline": "scrubber", "tuning": TUNING[name]} for name in INTERFACES})
    steps = wanted.run().node(site.node.name)["steps"]
    assert {step["resource"] for step in steps} <= set(QUIET)
    assert {step["disruption"] for step in steps} == {"none"}
    assert [step["target"] for step in steps if step["resource"] == "host"] == [INTERFACES[IGB]], "the host's, once"
    assert site.carrier_changes() == before, "the plan announced no disruption"
    return wanted


def shown(site: Site, option: str, interface: str) -> Dict[str, str]:
    return dict(re.findall(r"^([\w-]+): *\t? *(\S+)", site.node.out(f"ethtool {option} {interface}"), re.M))


def affinities(site: Site, interface: str) -> List[str]:
    """CPUs of the interrupts that /proc/interrupts gives queue names of this interface, in their order."""
    device = f"/sys/class/net/{interface}/device"
    own = site.node.out(f"ls {device}/msi_irqs {device}/../msi_irqs 2>/dev/null || true").split()
    found = []
    for line in site.node.out("cat /proc/interrupts").splitlines():
        number, _, rest = line.strip().partition(":")
        name = rest.split()[-1] if rest.split() else ""
        if number in own and re.search(r"(rx|tx|put\.)", name, re.IGNORECASE):
            found.append(site.node.out(f"cat /proc/irq/{number}/smp_affinity_list"))
    return found


@pytest.mark.parametrize(("nic", "usecs"), [(IGB, "50"), (E1000E, "125")])
def test_coalescing_is_as_ethtool_shows_it(tuned: Site, nic: int, usecs: str) -> None:
    assert shown(tuned, "-c", INTERFACES[nic])["rx-usecs"] == usecs


def test_hashed_fields_are_as_ethtool_shows_them(tuned: Site) -> None:
    fields = tuned.node.out(f"ethtool -n {INTERFACES[IGB]} rx-flow-hash udp4")
    assert "IP SA" in fields and "L4 bytes 0 & 1" in fields and "L4 bytes 2 & 3" in fields


@pytest.mark.parametrize("interface", INTERFACES)
def test_each_queue_interrupts_one_cpu(tuned: Site, interface: str) -> None:
    cpus = affinities(tuned, interface)
    assert cpus and set(cpus) <= {"0", "1"}
    if interface != INTERFACES[E1000E]:
        assert set(cpus) == {"0", "1"}, "several queues use both CPUs"


@pytest.mark.parametrize("interface", INTERFACES)
def test_kernels_side_is_as_sysfs_shows_it(tuned: Site, interface: str) -> None:
    path = f"/sys/class/net/{interface}"
    assert tuned.node.out(f"cat {path}/tx_queue_len {path}/napi_defer_hard_irqs {path}/gro_flush_timeout").split() == [
        "2000",
        "2",
        "20000",
    ]


@pytest.mark.parametrize("interface", INTERFACES)
def test_flow_tables_have_the_size_that_the_kernel_rounds_up_to(tuned: Site, interface: str) -> None:
    sizes = tuned.node.out(f"cat /sys/class/net/{interface}/queues/rx-*/rps_flow_cnt").split()
    assert set(sizes) == {"4096"}


def test_the_host_has_what_the_nics_agree_on(tuned: Site) -> None:
    names = "net.core.busy_poll net.core.busy_read net.core.rps_sock_flow_entries"
    assert tuned.node.out(f"sysctl -n {names}").split() == ["50", "20", "32768"]


def test_second_run_changes_nothing(tuned: Site) -> None:
    assert tuned.run().changed(tuned.node.name) == 0
    assert tuned.drift() == []


@deep
def test_interrupts_stay_spread_over_a_detach_and_an_attach(tuned: Site) -> None:
    """What the drivers scatter at the attach is placed again by the same run."""
    for interface in INTERFACES:
        tuned.node.ssh(f"rm -f /sys/fs/bpf/wirespeed/links/{interface}; ip link set {interface} xdp off || true")
    steps = tuned.steps(tuned.run())
    tuned.quiet()
    assert any("attach" in step for step in steps)
    assert tuned.drift() == []


def test_private_flag_bounces_igb_as_announced(tuned: Site) -> None:
    nic = INTERFACES[IGB]
    before = tuned.carrier_changes()[nic]
    tuning = {**TUNING[nic], "private_flags": {"legacy-rx": True}}
    steps = tuned.ask({nic: {"pipeline": "scrubber", "tuning": tuning}}).run().node(tuned.node.name)["steps"]
    tuned.quiet()
    flags = [step for step in steps if step["resource"] == "private_flags"]
    assert [step["disruption"] for step in flags] == ["bounce"]
    assert tuned.carrier_changes()[nic] == before + 2
    assert shown(tuned, "--show-priv-flags", nic)["legacy-rx"] == "on"


@pytest.mark.parametrize(
    ("nic", "tuning", "said"),
    [
        (IGB, {"coalesce": {"rx-usecs": 5}}, "10 to 10000"),
        (E1000E, {"xps": {"cpus": "spread"}}, "e1000e"),
        (VMXNET3, {"fec": {"encoding": "rs"}}, "vmxnet3"),
        (VIRTIO, {"irq_affinity": {"cpus": "7"}}, "CPUs 0-1"),
    ],
)
def test_what_a_nic_cannot_is_refused_before_any_change(tuned: Site, nic: int, tuning: Any, said: str) -> None:
    interface = INTERFACES[nic]
    before = tuned.carrier_changes()
    play = tuned.ask({interface: {"pipeline": "scrubber", "tuning": tuning}}).run(check=False)
    assert play.code == 2 and said in play.output and "Traceback" not in play.output
    assert tuned.carrier_changes() == before
