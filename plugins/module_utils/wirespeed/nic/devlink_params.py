# SPDX-License-Identifier: GPL-3.0-or-later
"""devlink parameters of the device behind a NIC, by the time at which they take effect.

``runtime`` at once. ``driverinit`` when the driver starts anew, which deletes the device's interfaces and
makes them again (``renewal.py``). ``permanent`` is kept in the device and holds after its next reset. All
of them read back at once as they were written, so what a device really runs with cannot be told from
them (net/devlink/param.c devlink_nl_param_fill, Linux 6.12).
"""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import KernelRefusal, NotSupported, OutOfRange, WirespeedError
from ..kernel import devlink_netlink
from ..kernel.devlink_netlink import DRIVERINIT, PERMANENT, RUNTIME, STRING_BYTES, Device
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from . import renewal
from .room import counted_or_switched

_LARGEST_TOLD = 2**16 - 1  # a bound of 32 bits or more is none that a user wants to read


class DevlinkParams:
    """A room (see ``room.py``) for the parameters that the device has in one ``mode``."""

    def __init__(self, mode: str) -> None:
        self._mode = mode

    def read(self, port: Port) -> SettingFacts:
        """Raises :class:`NotSupported` without a device, without devlink, and without such a parameter."""
        return self.facts(devlink_netlink.device_of(port))

    def facts(self, device: Device) -> SettingFacts:
        found = [each for each in devlink_netlink.parameters(device) if self._mode in each.values]
        if not found:
            raise NotSupported(f"devlink PARAM_GET {device} (no {self._mode} parameter)")
        maxima = {each.name: each.largest for each in found}
        kept = self._mode == PERMANENT
        return SettingFacts(
            {each.name: each.values[self._mode] for each in found},
            {name: most for name, most in maxima.items() if most is not None and most <= _LARGEST_TOLD},
            running={each.name: each.values[RUNTIME] for each in found if kept and RUNTIME in each.values},
        )

    def settle(self, facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
        """As asked: each driver knows which values it takes, and says so when it refuses one."""
        return {key: _fitting(facts, key, value) for key, value in want.items()}

    def write(self, port: Port, values: Values) -> None:
        self.set(devlink_netlink.device_of(port), values)

    def set(self, device: Device, values: Values) -> None:
        """All of them, or none: raises :class:`KernelRefusal` after it has put back those it had written."""
        known = {each.name: each for each in devlink_netlink.parameters(device)}
        done: Dict[str, Value] = {}
        for name, value in values.items():
            try:
                devlink_netlink.set_parameter(device, known[name], self._mode, _plain(value))
            except KernelRefusal as refused:
                for earlier, before in done.items():
                    devlink_netlink.set_parameter(device, known[earlier], self._mode, _plain(before))
                refused.nothing_changed = True
                raise
            done[name] = known[name].values[self._mode]


class DriverinitParams(DevlinkParams):
    """Parameters that take effect when the driver starts anew."""

    def __init__(self) -> None:
        super().__init__(DRIVERINIT)

    def write(self, port: Port, values: Values) -> None:
        self.start_anew(devlink_netlink.device_of(port), port.name, values, renewal.is_up(port.name))

    def start_anew(self, device: Device, interface: str, values: Values, up: bool) -> None:
        """Set them, start the driver anew, wait for the interface, and set it up again if it was.

        Works also where a start that failed has left no interface. When the driver refuses to start
        anew, before anything was touched, the parameters are put back too.
        """
        before = {name: value for name, value in self.facts(device).values.items() if name in values}
        present = renewal.index_of(interface)
        self.set(device, values)
        try:
            devlink_netlink.reload(device)
        except WirespeedError as refused:
            if present and renewal.index_of(interface) == present:
                self.set(device, before)
                refused.nothing_changed = True
            raise
        renewal.wait_for(device, interface, up)


def _fitting(facts: SettingFacts, key: str, value: Value) -> Value:
    if not isinstance(facts.values.get(key), str):
        return counted_or_switched(facts, key, value)
    if not isinstance(value, str) or not 0 < len(value.encode()) <= STRING_BYTES:
        raise OutOfRange(key, value, f"a text of up to {STRING_BYTES} bytes")
    return value


def _plain(value: Value) -> devlink_netlink.ParameterValue:
    if isinstance(value, tuple):
        raise TypeError(f"a devlink parameter has one value, not {value!r}")
    return value


RUNTIME_PARAMS = DevlinkParams(RUNTIME)
PERMANENT_PARAMS = DevlinkParams(PERMANENT)
DRIVERINIT_PARAMS = DriverinitParams()
