# SPDX-License-Identifier: GPL-3.0-or-later
"""The names that an expression in a profile can use, and their values for one NIC.

========== ==============================================================================
``nic``    attributes of :class:`~.model.nic.Nic`; ``nic.<setting>.<key>`` is the current value,
           ``nic.max.<setting>.<key>`` the driver's maximum, ``nic.fixed.<setting>`` the keys that
           cannot change, ``nic.floating.<setting>`` those that the driver moves by itself,
           ``nic.requested.<setting>.<key>`` what was asked for where that differs, ``nic.running.<setting>.<key>``
           what the device works with until its next reset; ``nic.firmware_settings.<key>`` the firmware's
           settings, since ``nic.firmware`` is its version;
           ``nic.xdp`` the mode of the attached program or none
``node``   ``cpus`` (possible), ``cpus_online``, ``cpus_on_nic_node``, ``ram_mib``, ``kernel``
           (compares with a text: ``node.kernel >= '6.6'``)
``planned`` ``planned.<setting>.<key>``: the NIC as it will be; only where a plan is at hand
``workload`` ``drop``, ``forward`` or ``stack``
========== ==============================================================================
"""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from .model.nic import Nic
from .model.node import Kernel, Node
from .model.settings import Setting, Values

_PLAIN = ("name", "mac", "driver", "kind", "bus_address", "firmware", "driver_version", "numa_node", "up", "carrier",
          "speed_mbps", "upper", "peer_mtu", "peer_tx_queues", "private_flags", "xdp_features")  # fmt: skip
_SETTINGS = tuple(setting.value for setting in Setting)
_FIRMWARE_SETTINGS = "firmware_settings"
_NIC_SETTINGS = tuple(name for name in _SETTINGS if name != Setting.FIRMWARE.value) + (_FIRMWARE_SETTINGS,)

KNOWN: Mapping[str, Tuple[str, ...]] = {
    "nic": (*_PLAIN, "pci", "xdp", "max", "fixed", "floating", "requested", "running", *_NIC_SETTINGS),
    "node": ("cpus", "cpus_online", "cpus_on_nic_node", "ram_mib", "kernel"),
    "planned": _SETTINGS,
    "workload": (),
}
"""Every first name, and what can follow it by a dot. Which keys a setting has depends on the NIC."""


class View(Mapping[str, Any]):
    """Read-only names at one place of the namespace. It knows its own path, for error texts."""

    def __init__(self, path: str, names: Mapping[str, Any]) -> None:
        self.path = path
        self._names = {name: _guarded(f"{path}.{name}" if path else name, value) for name, value in names.items()}

    def __getitem__(self, name: str) -> Any:
        return self._names[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _guarded(path: str, value: Any) -> Any:
    if isinstance(value, Mapping) and not isinstance(value, View):
        return View(path, value)
    if isinstance(value, (set, frozenset)):
        return tuple(sorted(value))
    return value


@total_ordering
class KernelVersion:
    """A kernel release that compares by its two leading numbers with a text such as ``'6.12'``.

    Distribution releases (``6.1.0-28-amd64``) do not tell the stable patch level, so a third
    number in a comparison would be a guess and is refused.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def __str__(self) -> str:
        return self._kernel.release

    def __hash__(self) -> int:
        return hash(self._kernel.version)

    def __eq__(self, other: object) -> bool:
        return self._kernel.version == _two_numbers(other)

    def __lt__(self, other: object) -> bool:
        return self._kernel.version < _two_numbers(other)


def _two_numbers(other: object) -> Tuple[int, int]:
    found = re.match(r"^(\d+)\.(\d+)$", str(other)) if isinstance(other, str) else None
    if found is None:
        raise TypeError(f"node.kernel compares with a text like '6.12', not with {other!r}")
    return int(found.group(1)), int(found.group(2))


def namespace(
    nic: Nic, node: Node, workload: str, planned: Optional[Mapping[Setting, Values]] = None
) -> Mapping[str, Any]:
    """The names of an expression, as the module's docstring lists them."""
    names: Dict[str, Any] = {"nic": _nic(nic), "node": _node(nic, node), "workload": workload}
    if planned is not None:
        names["planned"] = {setting.value: values for setting, values in planned.items()}
    return View("", names)


def _nic(nic: Nic) -> Dict[str, Any]:
    names: Dict[str, Any] = {name: getattr(nic, name) for name in _PLAIN}
    names["pci"] = None if nic.pci is None else vars(nic.pci)
    names["xdp"] = None if nic.xdp is None else nic.xdp.mode.value
    names.update({_name(setting): facts.values for setting, facts in nic.settings.items()})
    names["max"] = {setting.value: facts.maxima for setting, facts in nic.settings.items()}
    names["fixed"] = {setting.value: facts.fixed for setting, facts in nic.settings.items()}
    names["floating"] = {setting.value: facts.floating for setting, facts in nic.settings.items()}
    names["requested"] = {setting.value: facts.requested for setting, facts in nic.settings.items()}
    names["running"] = {setting.value: facts.running for setting, facts in nic.settings.items()}
    return names


def _name(setting: Setting) -> str:
    return _FIRMWARE_SETTINGS if setting is Setting.FIRMWARE else setting.value


def _node(nic: Nic, node: Node) -> Dict[str, Any]:
    return {
        "cpus": node.cpus,
        "cpus_online": node.cpus_online,
        "cpus_on_nic_node": node.cpus_by_numa.get(nic.numa_node, 0) or node.cpus_online,
        "ram_mib": node.ram_mib,
        "kernel": KernelVersion(node.kernel),
    }
