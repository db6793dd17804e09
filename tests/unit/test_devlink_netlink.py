# SPDX-License-Identifier: GPL-3.0-or-later
"""devlink messages, byte for byte as Linux 6.12 exchanged them over a netdevsim device."""

from __future__ import annotations

from typing import Any, Callable, List

import pytest

from wirespeed.errors import KernelRefusal, NotSupported
from wirespeed.kernel import devlink_netlink, netlink
from wirespeed.kernel.devlink_netlink import DRIVERINIT, Device, Info, Parameter

NETDEVSIM = Device("netdevsim", "netdevsim10")
HANDLE = "0e0001006e657464657673696d000000100002006e657464657673696d313000"
LISTED = (
    f"6c0000001700220002000000 0c01000026010000 {HANDLE}"
    "380050000d0051006d61785f6d616373000000000400520005005300030000001800540014005500050057000100000008005600 20000000"
    f"6000000017002200020000000c010000 26010000 {HANDLE}"
    "2c0050000a0051007465737431000000050053000600000014005400100055000500570001000000 04005600"
    "1400000003000200020000000c01000000000000"
)
LISTED_OFF = (
    f"5c000000170022000e0000000c010000 26010000 {HANDLE}"
    "280050000a00510074657374310000000500530006000000100054000c0055000500570001000000"
    "14000000030002000e0000000c01000000000000"
)
NO_DEVICE = "1400000003000200070000000c010000edffffff"
TOLD = (
    f"8400000017000000030000000c010000 33010000 {HANDLE}"
    "200066000c00670066772e6d676d74000d00680031302e32302e333000000000"
    "200065000c00670066772e6d676d74000d00680031302e32302e333000000000"
    "0e0062006e657464657673696d000000"
    "2400000002000001030000000c0100000000000034000000170005000300000000000000"
)
DONE = {
    11: "24000000020000010b0000000c010000000000005c000000170005000b00000000000000",
    12: "24000000020000010c0000000c0100000000000050000000170005000c00000000000000",
    13: (
        f"40000000170000000d0000000c01000025010000{HANDLE}0c009a000200000002000000"
        "24000000020000010d0000000c010000000000003c000000170005000d00000000000000"
    ),
}
SET_NUMBER = (
    f"5c000000170005000b0000000000000027010000{HANDLE}"
    "0d0051006d61785f6d61637300000000050053000300000005005700010000000800560040000000"
)
SET_OFF = f"50000000170005000c0000000000000027010000{HANDLE}0a005100746573743100000005005300060000000500570001000000"
RELOAD = f"3c000000170005000d0000000000000025010000{HANDLE}0500990001000000"

Recorded = Callable[[int, str], "Line"]


class Line:
    """A socket on which the kernel's answer is one that it gave."""

    def __init__(self, answer: str) -> None:
        self.sent: List[str] = []
        self.answer = bytes.fromhex(answer)

    def send(self, data: bytes) -> None:
        self.sent.append(data.hex())

    def recv(self, size: int) -> bytes:
        return self.answer


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """``recorded(7, answer)``: the next request is the seventh of its socket, as it was then."""

    def prepare(sequence: int, answer: str) -> Line:
        line = Line(answer)
        made: Any = netlink._Conversation.__new__(netlink._Conversation)
        made.socket, made.sequence = line, sequence - 1
        monkeypatch.setattr(netlink, "_conversation", lambda protocol: made)
        return line

    monkeypatch.setattr(netlink, "family", lambda name: 0x17)
    return prepare


def test_parameters_by_their_mode(recorded: Recorded) -> None:
    line = recorded(2, LISTED)
    assert devlink_netlink.parameters(NETDEVSIM) == [
        Parameter("max_macs", 3, {DRIVERINIT: 32}),
        Parameter("test1", 6, {DRIVERINIT: True}),
    ]
    assert line.sent == [f"3400000017000103020000000000000026010000{HANDLE}"]


def test_a_switch_without_content_is_off(recorded: Recorded) -> None:
    recorded(14, LISTED_OFF)
    assert devlink_netlink.parameters(NETDEVSIM) == [Parameter("test1", 6, {DRIVERINIT: False})]


def test_parameters_of_other_devices_are_left_out(recorded: Recorded) -> None:
    """Before Linux 6.6 the kernel lists those of all devices, whichever is asked for."""
    recorded(2, LISTED)
    assert devlink_netlink.parameters(Device("netdevsim", "netdevsim11")) == []


def test_device_without_devlink(recorded: Recorded) -> None:
    recorded(7, NO_DEVICE)
    with pytest.raises(NotSupported, match=r"pci/0000:01:00\.0"):
        devlink_netlink.parameters(Device("pci", "0000:01:00.0"))


def test_versions_of_firmware(recorded: Recorded) -> None:
    recorded(3, TOLD)
    version = {"fw.mgmt": "10.20.30"}
    assert devlink_netlink.info(NETDEVSIM) == Info("netdevsim", "", {}, version, version)


def test_number_is_sent_in_its_own_width(recorded: Recorded) -> None:
    line = recorded(11, DONE[11])
    devlink_netlink.set_parameter(NETDEVSIM, Parameter("max_macs", 3, {DRIVERINIT: 32}), DRIVERINIT, 64)
    assert line.sent == [SET_NUMBER]


def test_switch_that_goes_off_is_sent_without_a_value(recorded: Recorded) -> None:
    line = recorded(12, DONE[12])
    devlink_netlink.set_parameter(NETDEVSIM, Parameter("test1", 6, {DRIVERINIT: True}), DRIVERINIT, False)
    assert line.sent == [SET_OFF]


def test_switch_that_goes_on_is_sent_as_an_empty_value(recorded: Recorded) -> None:
    line = recorded(12, DONE[12])
    devlink_netlink.set_parameter(NETDEVSIM, Parameter("test1", 6, {DRIVERINIT: False}), DRIVERINIT, True)
    assert line.sent == [f"54000000{SET_OFF[8:]}04005600"]


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [(1, 7, "0500560007000000"), (2, 513, "0600560001020000"), (5, "smfs", "09005600736d667300000000")],
)
def test_other_kinds_of_values(recorded: Recorded, kind: int, value: Any, sent: str) -> None:
    line = recorded(12, DONE[12])
    devlink_netlink.set_parameter(NETDEVSIM, Parameter("x", kind, {DRIVERINIT: value}), DRIVERINIT, value)
    assert sent in line.sent[0]


def test_start_anew(recorded: Recorded) -> None:
    line = recorded(13, DONE[13])
    devlink_netlink.reload(NETDEVSIM)
    assert line.sent == [RELOAD]


def test_refusal_names_parameter_value_and_device(recorded: Recorded) -> None:
    recorded(8, "2400000002000001080000000c010000eaffffff58000000170005000800000000000000")
    with pytest.raises(KernelRefusal, match=r"PARAM_SET nope 5 driverinit of netdevsim/netdevsim10: EINVAL"):
        devlink_netlink.set_parameter(NETDEVSIM, Parameter("nope", 3, {}), DRIVERINIT, 5)


def test_what_a_type_can_hold() -> None:
    assert [Parameter("x", kind, {}).largest for kind in (1, 2, 6)] == [255, 65535, None]
