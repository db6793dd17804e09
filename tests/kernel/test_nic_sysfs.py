# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that live in sysfs, on a veth pair: queue masks and NAPI parameters."""

from __future__ import annotations

import errno
import os
import subprocess
from typing import Any, Callable

import pytest

from tests.probes import CLONE_NEWNS, unshare
from wirespeed.errors import KernelRefusal, NotSupported
from wirespeed.kernel import rtnetlink
from wirespeed.kernel.host import cpu_list
from wirespeed.kernel.port import Port
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Action, Step
from wirespeed.nic.actuator import SettingActuator
from wirespeed.nic.discover import discover
from wirespeed.nic.table import ROOMS

from .netns import Factory, Veth


def in_own_sysfs(function: Callable[..., Any], *arguments: Any) -> Any:
    """Runs in a worker, which then sees the sysfs of its network namespace."""
    unshare(CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)
    return function(*arguments)


def read(name: str, setting: Setting) -> SettingFacts:
    return ROOMS[setting].read(rtnetlink.link_named(name).port)


def read_port(setting: Setting) -> SettingFacts:
    """Of the loopback that every namespace has."""
    return read("lo", setting)


def write_and_read(name: str, setting: Setting, values: dict) -> SettingFacts:
    port = rtnetlink.link_named(name).port
    ROOMS[setting].write(port, values)
    return ROOMS[setting].read(port)


def done_and_undone(step: Step) -> Any:
    """The deviation after the step, the value then, the deviation after its undoing, the value then."""
    actuator, found = SettingActuator(), []
    for each in (step, step.inverted()):
        actuator.apply(each)
        found += [actuator.deviation(each), dict(read(step.target, Setting(step.resource)).values)]
    return found


def mask_written(name: str, setting: Setting, queue: str, file: str) -> str:
    write_and_read(name, setting, {"cpus": "spread"})
    with open(f"/sys/class/net/{name}/queues/{queue}/{file}") as stream:
        return stream.read().strip()


needs_two_cpus = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="this machine has one CPU")


@pytest.mark.parametrize(
    ("setting", "queue", "file"), [(Setting.XPS, "tx-0", "xps_cpus"), (Setting.RPS, "rx-0", "rps_cpus")]
)
def test_masks_are_spread_over_the_running_cpus_and_cleared(
    veth: Veth, setting: Setting, queue: str, file: str
) -> None:
    assert veth.node.run(in_own_sysfs, read, veth.ifname, setting).values == {"cpus": "none"}
    with open("/sys/devices/system/cpu/online") as stream:
        running = sorted(cpu_list(stream.read().strip()))
    mask = veth.node.run(in_own_sysfs, mask_written, veth.ifname, setting, queue, file)
    assert int(mask.replace(",", ""), 16) == sum(1 << cpu for cpu in running[::4])
    assert veth.node.run(in_own_sysfs, read, veth.ifname, setting).values == {"cpus": "spread"}
    assert veth.node.run(in_own_sysfs, write_and_read, veth.ifname, setting, {"cpus": "none"}).values == {
        "cpus": "none"
    }


@needs_two_cpus
def test_step_on_masks_is_carried_out_and_undone(veth: Veth) -> None:
    step = Step(veth.ifname, Action.SET, "xps", {"cpus": "none"}, {"cpus": "1 0 1 0"}, "a test", "here")
    assert veth.node.run(in_own_sysfs, done_and_undone, step) == ["", {"cpus": "1 0 1 0"}, "", {"cpus": "none"}]


def test_one_queue_has_no_choice_of_a_queue_to_send_through(namespaces: Factory) -> None:
    pair = namespaces.veth(queues=1)
    with pytest.raises(NotSupported):
        pair.node.run(in_own_sysfs, read, pair.ifname, Setting.XPS)


def test_napi_parameters_are_set_and_undone(veth: Veth) -> None:
    before = {"defer-hard-irqs": 0, "gro-flush-timeout": 0}
    after = {"defer-hard-irqs": 2, "gro-flush-timeout": 20000}
    step = Step(veth.ifname, Action.SET, "napi", before, after, "a test", "here")
    found = veth.node.run(in_own_sysfs, done_and_undone, step)
    assert found == ["", {**after, "threaded": False}, "", {**before, "threaded": False}]


def test_flow_tables_are_rounded_up_set_on_every_queue_and_undone(veth: Veth) -> None:
    step = Step(veth.ifname, Action.SET, "rfs", {"flows-per-queue": 0}, {"flows-per-queue": 4096}, "a test", "here")
    found = veth.node.run(in_own_sysfs, done_and_undone, step)
    assert found == ["", {"flows-per-queue": 4096}, "", {"flows-per-queue": 0}]
    rounded = veth.node.run(in_own_sysfs, write_and_read, veth.ifname, Setting.RFS, {"flows-per-queue": 3000})
    assert rounded.values == ROOMS[Setting.RFS].settle(rounded, {"flows-per-queue": 3000}, {})


def test_queues_with_different_flow_tables_get_them_back(veth: Veth) -> None:
    different = {"flows-per-queue": "64 0 64 128"}
    assert veth.node.run(in_own_sysfs, write_and_read, veth.ifname, Setting.RFS, different).values == different
    step = Step(veth.ifname, Action.SET, "rfs", different, {"flows-per-queue": 256}, "a test", "here")
    assert veth.node.run(in_own_sysfs, done_and_undone, step) == ["", {"flows-per-queue": 256}, "", different]


def test_host_has_its_values_in_the_first_namespace_only(veth: Veth) -> None:
    here = read_port(Setting.HOST)
    assert set(here.values) == {"busy-poll", "busy-read", "rps-sock-flow-entries"}
    with pytest.raises(NotSupported, match="first network namespace"):
        veth.node.run(read_port, Setting.HOST)


def test_polling_threads_without_anything_to_poll_are_refused_by_the_kernel(veth: Veth) -> None:
    with pytest.raises(KernelRefusal) as refused:
        veth.node.run(in_own_sysfs, write_and_read, veth.ifname, Setting.NAPI, {"threaded": True})
    assert refused.value.code == errno.EOPNOTSUPP and "threaded" in refused.value.call


def test_virtual_nic_has_no_interrupts(veth: Veth) -> None:
    with pytest.raises(NotSupported, match="no message-signalled interrupts"):
        veth.node.run(in_own_sysfs, read, veth.ifname, Setting.IRQ_AFFINITY)


@pytest.mark.parametrize("setting", [Setting.XPS, Setting.RPS, Setting.RFS, Setting.NAPI, Setting.IRQ_AFFINITY])
def test_sysfs_of_another_namespace_is_not_taken_for_this_ones(veth: Veth, setting: Setting) -> None:
    with pytest.raises(NotSupported, match="does not show this interface"):
        veth.node.run(read, veth.ifname, setting)


def test_interface_of_the_same_name_elsewhere_is_not_touched(veth: Veth) -> None:
    """Every namespace has a loopback: this one's has another ``ifindex``."""
    with pytest.raises(NotSupported, match="another network namespace"):
        veth.node.run(ROOMS[Setting.NAPI].write, Port("lo", 77), {"defer-hard-irqs": 1})


def test_discovery_tells_all_of_them(veth: Veth) -> None:
    found = veth.node.run(in_own_sysfs, discover, [veth.ifname])[veth.ifname]
    assert {Setting.XPS, Setting.RPS, Setting.NAPI} <= set(found.settings)
    assert Setting.IRQ_AFFINITY in found.unsupported
