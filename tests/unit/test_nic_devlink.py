# SPDX-License-Identifier: GPL-3.0-or-later
"""devlink parameters as settings: read by mode, all or none written, and the interface waited for."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from wirespeed.errors import KernelRefusal, NotSupported, OutOfRange, WirespeedError
from wirespeed.kernel import devlink_netlink, rtnetlink
from wirespeed.kernel.devlink_netlink import DRIVERINIT, PERMANENT, RUNTIME, Device, Parameter
from wirespeed.kernel.port import Port
from wirespeed.kernel.rtnetlink import Link
from wirespeed.model.settings import SettingFacts
from wirespeed.model.step import Action, Step
from wirespeed.nic import renewal
from wirespeed.nic.actuator import SettingActuator
from wirespeed.nic.devlink_params import DRIVERINIT_PARAMS, PERMANENT_PARAMS, RUNTIME_PARAMS

CARD = Device("pci", "0000:01:00.0")
LINK = Link("eth1", 7, "", True, True, 0, 1500, 68, 9000, 1000, 0, 0, None, "", "pci", "0000:01:00.0", ())


@dataclass
class Card:
    """A device whose driver says no to what is in ``refuses``, and comes back as ``comes_back``."""

    values: Dict[str, Dict[str, Any]]
    refuses: Dict[str, int] = field(default_factory=dict)
    links: List[Link] = field(default_factory=lambda: [LINK])
    comes_back: Optional[str] = "eth1"
    did: List[str] = field(default_factory=list)

    def parameters(self, device: Device) -> List[Parameter]:
        kinds = {bool: 6, int: 3, str: 5}
        return [Parameter(name, kinds[type(next(iter(v.values())))], dict(v)) for name, v in self.values.items()]

    def set_parameter(self, device: Device, parameter: Parameter, mode: str, value: Any) -> None:
        if parameter.name in self.refuses:
            raise KernelRefusal(f"devlink PARAM_SET {parameter.name}", self.refuses[parameter.name])
        self.did.append(f"{parameter.name}={value}")
        self.values[parameter.name][mode] = value

    def reload(self, device: Device) -> None:
        if "down" in self.refuses:
            raise KernelRefusal("devlink RELOAD", errno.EBUSY)
        self.did.append("reload")
        self.links = []
        if "up" in self.refuses:
            raise KernelRefusal("devlink RELOAD", errno.EIO)
        if self.comes_back:
            self.links = [replace(LINK, name=self.comes_back, ifindex=8, up=False)]

    def named(self, name: str) -> Link:
        for link in self.links:
            if link.name == name:
                return link
        raise KernelRefusal(f"rtnetlink GETLINK {name}", errno.ENODEV)

    def set_up(self, port: Port) -> None:
        self.did.append(f"up {port.ifindex}")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Card:
    made = Card({"io_eq_size": {DRIVERINIT: 1024}, "enable_roce": {DRIVERINIT: True}, "mode": {RUNTIME: "dmfs"}})
    for name in ("parameters", "set_parameter", "reload"):
        monkeypatch.setattr(devlink_netlink, name, getattr(made, name))
    monkeypatch.setattr(rtnetlink, "link_named", made.named)
    monkeypatch.setattr(rtnetlink, "link", lambda ifindex: LINK)
    monkeypatch.setattr(rtnetlink, "links", lambda: made.links)
    monkeypatch.setattr(rtnetlink, "set_up", made.set_up)
    monkeypatch.setattr(renewal, "_UDEV", tmp_path)
    return made


def test_each_mode_has_the_parameters_that_the_driver_offers_in_it(card: Card) -> None:
    assert DRIVERINIT_PARAMS.read(LINK.port).values == {"io_eq_size": 1024, "enable_roce": True}
    assert RUNTIME_PARAMS.read(LINK.port).values == {"mode": "dmfs"}
    with pytest.raises(NotSupported, match="no permanent parameter"):
        PERMANENT_PARAMS.read(LINK.port)


def test_an_interface_without_a_device_has_none(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtnetlink, "link", lambda ifindex: replace(LINK, parent_bus="", parent_name=""))
    with pytest.raises(NotSupported, match="no device behind it"):
        DRIVERINIT_PARAMS.read(LINK.port)


def test_what_the_device_works_with_is_told_where_it_tells(card: Card) -> None:
    card.values["vfs"] = {PERMANENT: 8, RUNTIME: 4}
    assert PERMANENT_PARAMS.read(LINK.port).running == {"vfs": 4}


@pytest.mark.parametrize(
    ("key", "value"), [("io_eq_size", "much"), ("enable_roce", 1), ("mode", 5), ("mode", "x" * 32)]
)
def test_a_value_of_another_kind_is_refused(key: str, value: Any) -> None:
    facts = SettingFacts({"io_eq_size": 1024, "enable_roce": True, "mode": "dmfs"})
    with pytest.raises(OutOfRange):
        DRIVERINIT_PARAMS.settle(facts, {key: value}, {})


def test_driver_starts_anew_after_the_last_parameter_and_the_interface_is_set_up_again(card: Card) -> None:
    DRIVERINIT_PARAMS.write(LINK.port, {"io_eq_size": 2048, "enable_roce": False})
    assert card.did == ["io_eq_size=2048", "enable_roce=False", "reload", "up 8"]


def test_an_interface_that_was_down_stays_down(card: Card) -> None:
    card.links = [replace(LINK, up=False)]
    DRIVERINIT_PARAMS.write(LINK.port, {"io_eq_size": 2048})
    assert card.did == ["io_eq_size=2048", "reload"]


def test_a_refused_parameter_takes_back_those_before_it_and_starts_nothing_anew(card: Card) -> None:
    card.refuses["enable_roce"] = errno.EINVAL
    with pytest.raises(KernelRefusal) as refused:
        DRIVERINIT_PARAMS.write(LINK.port, {"io_eq_size": 2048, "enable_roce": False})
    assert refused.value.nothing_changed and card.did == ["io_eq_size=2048", "io_eq_size=1024"]


def test_a_driver_that_does_not_start_anew_has_its_parameters_back(card: Card) -> None:
    card.refuses["down"] = errno.EBUSY
    with pytest.raises(KernelRefusal) as refused:
        DRIVERINIT_PARAMS.write(LINK.port, {"io_eq_size": 2048})
    assert refused.value.nothing_changed and card.did == ["io_eq_size=2048", "io_eq_size=1024"]


def test_a_start_that_failed_half_way_needs_its_undo(card: Card) -> None:
    card.refuses["up"] = errno.EIO
    with pytest.raises(KernelRefusal) as failed:
        DRIVERINIT_PARAMS.write(LINK.port, {"io_eq_size": 2048})
    assert not failed.value.nothing_changed and card.values["io_eq_size"][DRIVERINIT] == 2048


def test_the_undo_finds_no_interface_and_reads_the_old_value_and_starts_the_driver_all_the_same(card: Card) -> None:
    """It was killed between the old value and the start: the parameter reads as if it were in force."""
    card.links = []
    anew = {"device": str(CARD), "up": True, "settings": {}}
    step = Step("eth1", Action.SET, "devlink_driverinit", {"io_eq_size": 1024}, {"io_eq_size": 2048}, "", "", anew=anew)
    SettingActuator().apply(step.inverted())
    assert card.did == ["io_eq_size=1024", "reload", "up 8"]
    assert SettingActuator().deviation(step.inverted()) == ""


@pytest.mark.parametrize(("name", "said"), [("eth5", "came back as eth5, not as eth1"), (None, "did not come back")])
def test_what_comes_back_instead_is_told(card: Card, name: Optional[str], said: str) -> None:
    card.comes_back = name
    card.reload(CARD)
    with pytest.raises(WirespeedError, match=said):
        renewal.wait_for(CARD, "eth1", True, patience=0)


def test_an_interface_is_ready_when_udev_has_dealt_with_it(card: Card, tmp_path: Path) -> None:
    """udev sets what .link files say; what we write before that would be lost."""
    (tmp_path / "control").touch()
    link = replace(LINK, ifindex=8)
    assert not renewal._known_to_udev(link)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "n8").touch()
    assert renewal._known_to_udev(link)
