# SPDX-License-Identifier: GPL-3.0-or-later
"""Coalescing on a tap device and the transmit queue's length on a veth, against ethtool and ip."""

from __future__ import annotations

import re
from typing import Iterator

import pytest

from tests.probes import requires_ethtool
from wirespeed.errors import KernelRefusal, NotSupported
from wirespeed.kernel import rtnetlink
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Action, Step
from wirespeed.nic.actuator import SettingActuator
from wirespeed.nic.table import ROOMS

from .netns import Factory, Netns, Veth


def read(name: str, setting: Setting) -> SettingFacts:
    return ROOMS[setting].read(rtnetlink.link_named(name).port)


def write(name: str, setting: Setting, values: dict) -> None:
    ROOMS[setting].write(rtnetlink.link_named(name).port, values)


def carried_out(step: Step) -> str:
    actuator = SettingActuator()
    actuator.apply(step)
    return actuator.deviation(step)


@pytest.fixture
def tap(namespaces: Factory) -> Iterator[Netns]:
    """tun is the one virtual driver with coalescing: ``rx-frames``, which it clamps to 64 without a word."""
    node = namespaces.netns()
    node.ip("tuntap", "add", "dev", "tap0", "mode", "tap")
    yield node


@requires_ethtool
def test_coalescing_is_written_as_ethtool_shows_it_and_undone(tap: Netns) -> None:
    assert tap.run(read, "tap0", Setting.COALESCE).values == {"rx-frames": 0}
    step = Step("tap0", Action.SET, "coalesce", {"rx-frames": 0}, {"rx-frames": 16}, "a test", "here")
    assert tap.run(carried_out, step) == ""
    assert re.search(r"^rx-frames:\s+16$", tap.command("ethtool", "-c", "tap0"), re.MULTILINE)
    assert tap.run(carried_out, step.inverted()) == ""
    assert tap.run(read, "tap0", Setting.COALESCE).values == {"rx-frames": 0}


def test_value_that_the_driver_clamps_is_found_by_reading_back(tap: Netns) -> None:
    step = Step("tap0", Action.SET, "coalesce", {"rx-frames": 0}, {"rx-frames": 100}, "a test", "here")
    assert tap.run(carried_out, step) == "tap0 coalesce: rx-frames is 64, not 100"


def test_parameter_that_the_driver_lacks_is_refused_in_the_kernels_words(tap: Netns) -> None:
    with pytest.raises(KernelRefusal, match="cannot modify an unsupported parameter"):
        tap.run(write, "tap0", Setting.COALESCE, {"rx-usecs": 10})


def test_transmit_queue_is_lengthened_and_what_holds_is_left(veth: Veth) -> None:
    length = veth.node.links()[veth.ifname]["txqlen"]
    assert veth.node.run(read, veth.ifname, Setting.TXQUEUELEN).values == {"txqueuelen": length}
    veth.node.run(write, veth.ifname, Setting.TXQUEUELEN, {"txqueuelen": length + 24})
    assert veth.node.links()[veth.ifname]["txqlen"] == length + 24


LACKING = {
    Setting.COALESCE: {"rx-usecs": 8, "adaptive-rx": False},
    Setting.PAUSE: {"autoneg": False, "rx": True},
    Setting.EEE: {"enabled": False, "tx-timer": 5},
    Setting.PRIVATE_FLAGS: {"legacy-rx": True},
    Setting.FEC: {"encoding": "auto"},
    Setting.RINGS: {"rx-buf-len": 2048, "tx-push": True},
    Setting.RSS: {"key": "00:01"},
    Setting.RSS_FIELDS: {"udp4": "sdfn"},
}


@pytest.mark.parametrize("setting", LACKING)
def test_setting_that_veth_lacks_is_not_supported(veth: Veth, setting: Setting) -> None:
    with pytest.raises(NotSupported):
        veth.node.run(read, veth.ifname, setting)


@pytest.mark.parametrize("setting", LACKING)
def test_kernel_finds_nothing_wrong_with_the_message_before_it_says_that_veth_lacks_it(
    veth: Veth, setting: Setting
) -> None:
    with pytest.raises(NotSupported):
        veth.node.run(write, veth.ifname, setting, LACKING[setting])
