# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings read and written, compared with the ethtool and ip commands; and the kernel's refusals in its words."""

from __future__ import annotations

import errno
import json
import re
from typing import Any, Dict

import pytest

from tests.probes import requires_ethtool
from wirespeed.errors import KernelRefusal, NotSupported, ReadBackMismatch
from wirespeed.kernel import rtnetlink
from wirespeed.kernel.port import Port
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Action, Step
from wirespeed.nic.actuator import SettingActuator
from wirespeed.nic.table import ROOMS

from .netns import Veth, command


def read(name: str, setting: Setting) -> SettingFacts:
    return ROOMS[setting].read(rtnetlink.link_named(name).port)


def write(name: str, setting: Setting, values: Dict[str, Any]) -> None:
    ROOMS[setting].write(rtnetlink.link_named(name).port, values)


def shown_channels(veth: Veth) -> Dict[str, int]:
    """The current part of `ethtool -l`."""
    current = veth.node.command("ethtool", "-l", veth.ifname).split("Current hardware settings:")[1]
    return {key.lower(): int(count) for key, count in re.findall(r"^(\w+):\s+(\d+)$", current, re.MULTILINE)}


def shown_features(veth: Veth) -> Dict[str, Dict[str, bool]]:
    (found,) = json.loads(veth.node.command("ethtool", "--json", "-k", veth.ifname))
    del found["ifname"]
    return found


@requires_ethtool
def test_channels_read_as_ethtool_shows_them(veth: Veth) -> None:
    veth.node.command("ethtool", "-L", veth.ifname, "rx", "3", "tx", "2")
    facts = veth.node.run(read, veth.ifname, Setting.CHANNELS)
    assert facts.values == shown_channels(veth) == {"rx": 3, "tx": 2}
    assert facts.maxima == {"rx": 4, "tx": 4}


@requires_ethtool
def test_channels_are_written_and_what_is_not_given_stays(veth: Veth) -> None:
    veth.node.run(write, veth.ifname, Setting.CHANNELS, {"rx": 2})
    assert shown_channels(veth) == {"rx": 2, "tx": 4}


@requires_ethtool
def test_channels_beyond_the_maximum_are_refused_in_the_kernels_words(veth: Veth) -> None:
    with pytest.raises(KernelRefusal, match=f"CHANNELS_SET {veth.ifname}") as refused:
        veth.node.run(write, veth.ifname, Setting.CHANNELS, {"rx": 9})
    assert (refused.value.code, refused.value.reason) == (errno.EINVAL, "requested channel count exceeds maximum")
    assert shown_channels(veth) == {"rx": 4, "tx": 4}


def test_interface_that_has_gone_is_refused_in_the_kernels_words(veth: Veth) -> None:
    with pytest.raises(KernelRefusal) as refused:
        veth.node.run(ROOMS[Setting.CHANNELS].read, Port("gone", 9999))
    assert (refused.value.code, refused.value.reason) == (errno.ENODEV, "no device matches ifindex")


def test_interface_renamed_meanwhile_is_not_touched(veth: Veth) -> None:
    ifindex = veth.node.links()[veth.ifname]["ifindex"]
    with pytest.raises(KernelRefusal) as refused:
        veth.node.run(ROOMS[Setting.CHANNELS].write, Port("old", ifindex), {"rx": 1})
    assert refused.value.code == errno.ENODEV


@requires_ethtool
def test_features_read_as_ethtool_shows_them(veth: Veth) -> None:
    veth.node.command("ethtool", "-K", veth.ifname, "tx", "off")  # masks TSO: off, but requested on
    facts = veth.node.run(read, veth.ifname, Setting.FEATURES)
    shown = {name: state for name, state in shown_features(veth).items() if name in facts.values}
    assert len(shown) > 40
    assert {name: state["active"] for name, state in shown.items()} == {name: facts.values[name] for name in shown}
    assert {name for name, state in shown.items() if state["fixed"]} == set(shown) & facts.fixed
    differing = {n: s["requested"] for n, s in shown.items() if not s["fixed"] and s["requested"] != s["active"]}
    assert differing == facts.requested
    assert facts.requested["tx-tcp-segmentation"] is True


@requires_ethtool
def test_feature_is_written(veth: Veth) -> None:
    veth.node.run(write, veth.ifname, Setting.FEATURES, {"rx-gro": True, "tx-nocache-copy": True})
    shown = shown_features(veth)
    assert shown["generic-receive-offload"]["active"]
    assert shown["tx-nocache-copy"]["active"]


def test_feature_that_the_kernel_keeps_in_silence_is_an_error(veth: Veth) -> None:
    with pytest.raises(ReadBackMismatch, match=r"kept rx-lro off"):
        veth.node.run(write, veth.ifname, Setting.FEATURES, {"rx-lro": True})


def test_feature_that_does_not_exist_is_refused_in_the_kernels_words(veth: Veth) -> None:
    with pytest.raises(KernelRefusal, match="bit name not found"):
        veth.node.run(write, veth.ifname, Setting.FEATURES, {"rx-warp": True})


def test_mtu_is_written(veth: Veth) -> None:
    veth.node.run(write, veth.ifname, Setting.MTU, {"mtu": 3000})
    assert veth.node.links()[veth.ifname]["mtu"] == 3000


def test_mtu_beyond_the_maximum_is_refused_in_the_kernels_words(veth: Veth) -> None:
    with pytest.raises(KernelRefusal) as refused:
        veth.node.run(write, veth.ifname, Setting.MTU, {"mtu": 70000})
    assert (refused.value.code, refused.value.reason) == (errno.EINVAL, "mtu greater than device maximum")


@pytest.mark.parametrize(
    "setting", [Setting.RINGS, Setting.RSS, Setting.NTUPLE, Setting.RSS_CONTEXTS, Setting.QUEUE_COALESCE]
)
def test_setting_that_veth_lacks_is_not_supported(veth: Veth, setting: Setting) -> None:
    with pytest.raises(NotSupported):
        veth.node.run(read, veth.ifname, setting)


def a_step(veth: Veth, setting: Setting, before: Dict[str, Any], after: Dict[str, Any]) -> Step:
    return Step(veth.ifname, Action.SET, setting.value, before, after, "a test", "here")


def carried_out(step: Step) -> str:
    actuator = SettingActuator()
    actuator.apply(step)
    return actuator.deviation(step)


@requires_ethtool
def test_step_is_carried_out_and_undone(veth: Veth) -> None:
    step = a_step(veth, Setting.CHANNELS, {"rx": 4}, {"rx": 2})
    assert veth.node.run(carried_out, step) == ""
    assert shown_channels(veth)["rx"] == 2
    assert veth.node.run(carried_out, step.inverted()) == ""
    assert shown_channels(veth)["rx"] == 4


def test_step_that_was_not_carried_out_is_told_by_what_is_there_instead(veth: Veth) -> None:
    step = a_step(veth, Setting.CHANNELS, {"rx": 4}, {"rx": 2})
    assert veth.node.run(SettingActuator().deviation, step) == f"{veth.ifname} channels: rx is 4, not 2"


def test_step_that_already_holds_disturbs_nothing(veth: Veth) -> None:
    before = carrier_changes(veth)
    assert veth.node.run(carried_out, a_step(veth, Setting.CHANNELS, {"rx": 2}, {"rx": 4, "tx": 4})) == ""
    assert carrier_changes(veth) == before


@requires_ethtool
def test_feature_requested_otherwise_is_a_deviation_though_it_reads_right(veth: Veth) -> None:
    veth.node.command("ethtool", "-K", veth.ifname, "tx", "off")
    step = a_step(veth, Setting.FEATURES, {}, {"tx-tcp-segmentation": False})
    assert "requested" in veth.node.run(SettingActuator().deviation, step)
    assert veth.node.run(carried_out, step) == ""
    assert not shown_features(veth)["tx-tcp-segmentation"]["requested"]


def carrier_changes(veth: Veth) -> int:
    path = f"/sys/class/net/{veth.ifname}/carrier_changes"
    return int(command("ip", "netns", "exec", veth.node.name, "cat", path))
