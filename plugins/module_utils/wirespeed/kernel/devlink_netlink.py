# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices over the ``devlink`` generic netlink family: parameters, reload, versions of firmware.

Numbers from include/uapi/linux/devlink.h; they are the same in Linux 5.10 to 7.2. A parameter's value
is an attribute of its own type: a switch that is on is an attribute without content, one that is off is
none at all (net/devlink/param.c devlink_nl_param_value_fill_one, Linux 6.12).
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Union

from ..errors import KernelRefusal, NotSupported
from . import netlink, rtnetlink
from .netlink import Attribute, Message, Nest, Reply
from .port import Port

_RELOAD, _PARAM_GET, _PARAM_SET, _INFO_GET = 37, 38, 39, 51
_DRIVER_REINIT = 1  # DEVLINK_RELOAD_ACTION_DRIVER_REINIT

RUNTIME, DRIVERINIT, PERMANENT = "runtime", "driverinit", "permanent"
_MODES = (RUNTIME, DRIVERINIT, PERMANENT)  # DEVLINK_PARAM_CMODE_*

_NUMBERS = {1: "=B", 2: "=H", 3: "=I", 4: "=Q"}  # NLA_U8 to NLA_U64
_STRING, _SWITCH = 5, 6  # NLA_STRING, NLA_FLAG
STRING_BYTES = 31
"""__DEVLINK_PARAM_MAX_STRING_VALUE, without the zero at the end."""

ParameterValue = Union[int, bool, str]

_HANDLE = (Attribute(1, "bus", "asciiz"), Attribute(2, "device", "asciiz"))
_VALUE = Nest((Attribute(86, "data", "cdata"), Attribute(87, "mode", "uint8")))
_PARAMETER = Nest(
    (
        Attribute(81, "name", "asciiz"),
        Attribute(83, "kind", "uint8"),
        Attribute(84, "values", Nest((Attribute(85, "value", _VALUE, repeated=True),))),
    )
)
PARAMETER = Message(netlink.GENERIC_HEAD, (*_HANDLE, Attribute(80, "parameter", _PARAMETER)))
SET_PARAMETER = Message(
    netlink.GENERIC_HEAD,
    (
        *_HANDLE,
        Attribute(81, "name", "asciiz"),
        Attribute(83, "kind", "uint8"),
        Attribute(86, "data", "cdata"),
        Attribute(87, "mode", "uint8"),
    ),
)
RELOAD = Message(netlink.GENERIC_HEAD, (*_HANDLE, Attribute(153, "action", "uint8")))
_VERSION = Nest((Attribute(103, "name", "asciiz"), Attribute(104, "value", "asciiz")))
INFO = Message(
    netlink.GENERIC_HEAD,
    (
        *_HANDLE,
        Attribute(98, "driver", "asciiz"),
        Attribute(99, "serial", "asciiz"),
        Attribute(100, "fixed", _VERSION, repeated=True),
        Attribute(101, "running", _VERSION, repeated=True),
        Attribute(102, "stored", _VERSION, repeated=True),
    ),
)


@dataclass(frozen=True)
class Device:
    """What carries interfaces, as the ``devlink`` command names it: ``pci/0000:01:00.0``."""

    bus: str
    name: str

    def __str__(self) -> str:
        return f"{self.bus}/{self.name}"

    @classmethod
    def of_text(cls, text: str) -> Device:
        bus, _slash, name = text.partition("/")
        return cls(bus, name)


@dataclass(frozen=True)
class Parameter:
    """``kind`` is the netlink type of its values; ``values`` has one for each mode that the driver offers."""

    name: str
    kind: int
    values: Mapping[str, ParameterValue]

    @property
    def largest(self) -> Optional[int]:
        """What its type can hold; None for texts and switches."""
        layout = _NUMBERS.get(self.kind)
        return None if layout is None else (1 << 8 * struct.calcsize(layout)) - 1


@dataclass(frozen=True)
class Info:
    """Versions by their name (``fw.mgmt``): ``stored`` ones run after the next reset of the device."""

    driver: str
    serial: str
    fixed: Mapping[str, str]
    running: Mapping[str, str]
    stored: Mapping[str, str]


def device_of(port: Port) -> Device:
    """Raises :class:`NotSupported` for an interface without a device (veth, bond, before Linux 5.14)."""
    link = rtnetlink.link(port.ifindex)
    if not link.parent_bus:
        raise NotSupported(f"devlink {port.name} (no device behind it)")
    return Device(link.parent_bus, link.parent_name)


def parameters(device: Device) -> List[Parameter]:
    """The device's own ones, not those of its ports. Before Linux 6.6 the kernel lists those of every device.

    Raises :class:`NotSupported` where the driver has no devlink.
    """
    found = [
        _parameter(reply) for reply in _ask("PARAM_GET", _PARAM_GET, PARAMETER, device, dump=True) if _is(reply, device)
    ]
    return [parameter for parameter in found if parameter.values]


def set_parameter(device: Device, parameter: Parameter, mode: str, value: ParameterValue) -> None:
    """In ``driverinit`` mode it is kept for the next :func:`reload`, and read as if it were in force."""
    body: Dict[str, Any] = {"name": parameter.name, "kind": parameter.kind, "mode": _MODES.index(mode)}
    if value is not False:
        body["data"] = _packed(parameter.kind, value)
    _ask(f"PARAM_SET {parameter.name} {value} {mode} of", _PARAM_SET, SET_PARAMETER, device, body)


def reload(device: Device) -> None:
    """Have the driver start anew: every interface of the device is deleted and made again.

    Returns when it is done. A refusal before the deletion leaves everything in place, one after it
    leaves the device without interfaces (net/devlink/dev.c devlink_reload, Linux 6.12).
    """
    _ask("RELOAD driver_reinit", _RELOAD, RELOAD, device, {"action": _DRIVER_REINIT})


def info(device: Device) -> Info:
    (reply,) = _ask("INFO_GET", _INFO_GET, INFO, device)
    values = reply.values
    versions = {
        key: {each["name"]: each["value"] for each in values[key] if "name" in each and "value" in each}
        for key in ("fixed", "running", "stored")
    }
    return Info(values.get("driver", ""), values.get("serial", ""), **versions)


def _ask(
    name: str,
    command: int,
    layout: Message,
    device: Device,
    body: Optional[Mapping[str, Any]] = None,
    dump: bool = False,
) -> List[Reply]:
    call = f"devlink {name} {device}"
    values = {"bus": device.bus, "device": device.name, **(body or {})}
    head = {"cmd": command, "version": 1}
    try:
        return netlink.request(netlink.GENERIC, netlink.family("devlink"), layout, head, values, call, dump)
    except KernelRefusal as error:
        if error.code == errno.ENODEV and not error.reason:
            raise NotSupported(f"devlink {device} (the driver has none)") from None
        raise


def _is(reply: Reply, device: Device) -> bool:
    return (reply.values.get("bus"), reply.values.get("device")) == (device.bus, device.name)


def _parameter(reply: Reply) -> Parameter:
    told = reply.values["parameter"]
    kind = told["kind"]
    values = {}
    for each in told.get("values", {}).get("value", ()):
        value = _unpacked(kind, each.get("data"))
        if value is not None and each["mode"] < len(_MODES):
            values[_MODES[each["mode"]]] = value
    return Parameter(told["name"], kind, values)


def _unpacked(kind: int, data: Optional[bytes]) -> Optional[ParameterValue]:
    """None for what this version does not know how to read."""
    if kind == _SWITCH:
        return data is not None
    if data is None:
        return None
    if kind == _STRING:
        return data.rstrip(b"\0").decode("utf-8", "replace")
    return int(struct.unpack(_NUMBERS[kind], data)[0]) if kind in _NUMBERS else None


def _packed(kind: int, value: ParameterValue) -> bytes:
    if kind == _SWITCH:
        return b""
    return str(value).encode() + b"\0" if kind == _STRING else struct.pack(_NUMBERS[kind], value)
