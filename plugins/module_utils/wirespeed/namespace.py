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
           ``nic.pci.gbps`` and ``nic.pci.max_gbps`` what the PCIe link carries one way, 0 where not told;
           ``nic.local_cpus`` running CPUs on the NIC's memory node, none where it names no node;
           ``nic.far_queues`` queues that interrupt CPUs of other nodes only; ``nic.vf`` the function that
           carries the traffic of a Hyper-V NIC (``name``, ``driver``, ``mtu``, ``features``), or none
``node``   ``cpus`` (possible), ``cpus_online``, ``cpus_on_nic_node``, ``ram_mib``, ``kernel``
           (compares with a text: ``node.kernel >= '6.6'``); ``governor`` of all CPUs, or several with their
           numbers of CPUs; ``idle_state``, ``idle_exit_latency`` (us) of the deepest idle state; none where not told
``pipeline`` ``frags``: whether the pipeline's root takes frames of several buffers; false without a pipeline
``planned`` ``planned.<setting>.<key>``: the NIC as it will be; only where a plan is at hand
``workload`` ``drop``, ``forward`` or ``stack``
========== ==============================================================================
"""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from .model.nic import Nic, PciIdentity
from .model.node import Kernel, Node
from .model.settings import Setting, Values

_PLAIN = ("name", "mac", "driver", "kind", "bus_address", "firmware", "driver_version", "numa_node", "up", "carrier",
          "speed_mbps", "upper", "peer_mtu", "peer_tx_queues", "dcb", "private_flags", "xdp_features")  # fmt: skip
_SETTINGS = tuple(setting.value for setting in Setting)
_FIRMWARE_SETTINGS = "firmware_settings"
_UNKNOWN_LANES = 255
_NIC_SETTINGS = tuple(name for name in _SETTINGS if name != Setting.FIRMWARE.value) + (_FIRMWARE_SETTINGS,)

_OF_NIC = ("pci", "xdp", "local_cpus", "far_queues", "vf", "max", "fixed", "floating", "requested", "running")
_OF_NODE = (
    "cpus",
    "cpus_online",
    "cpus_on_nic_node",
    "ram_mib",
    "kernel",
    "governor",
    "idle_state",
    "idle_exit_latency",
)

KNOWN: Mapping[str, Tuple[str, ...]] = {
    "nic": (*_PLAIN, *_OF_NIC, *_NIC_SETTINGS),
    "node": _OF_NODE,
    "pipeline": ("frags",),
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
    nic: Nic, node: Node, workload: str, planned: Optional[Mapping[Setting, Values]] = None, frags: bool = False
) -> Mapping[str, Any]:
    """The names of an expression, as the module's docstring lists them."""
    names: Dict[str, Any] = {"nic": _nic(nic), "node": _node(nic, node), "workload": workload}
    names["nic"].update(_surroundings(nic, node))
    names["pipeline"] = {"frags": frags}
    if planned is not None:
        names["planned"] = {setting.value: values for setting, values in planned.items()}
    return View("", names)


def _nic(nic: Nic) -> Dict[str, Any]:
    names: Dict[str, Any] = {name: getattr(nic, name) for name in _PLAIN}
    names["pci"] = None if nic.pci is None else _pci(nic.pci)
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


def _pci(pci: PciIdentity) -> Dict[str, Any]:
    return {
        **vars(pci),
        "gbps": _gbps(pci.link_speed, pci.link_width),
        "max_gbps": _gbps(pci.max_link_speed, pci.max_link_width),
    }


def _gbps(speed: float, lanes: int) -> float:
    """What is left of a link after its line code: 8b/10b up to 5 GT/s, 128b/130b and like it above.

    A device without a PCIe link of its own tells no speed, or 255 lanes (drivers/pci/probe.c, PCIE_LNK_WIDTH_UNKNOWN).
    """
    if not 0 < lanes < _UNKNOWN_LANES:
        return 0.0
    return round(speed * lanes * (0.8 if speed <= 5.0 else 128 / 130), 1)


def _surroundings(nic: Nic, node: Node) -> Dict[str, Any]:
    """What the NIC's place in the machine makes of it."""
    irqs = nic.settings.get(Setting.IRQ_AFFINITY)
    carriers = [other for other in node.nics.values() if nic.name in other.upper and nic.driver == "hv_netvsc"]
    return {
        "local_cpus": None if nic.numa_node < 0 else node.cpus_by_numa.get(nic.numa_node, 0),
        "far_queues": irqs.derived.get("far", 0) if irqs else 0,
        "vf": _carrier(carriers[0]) if carriers else None,
    }


def _carrier(nic: Nic) -> Dict[str, Any]:
    mtu, features = (nic.settings.get(setting) for setting in (Setting.MTU, Setting.FEATURES))
    return {
        "name": nic.name,
        "driver": nic.driver,
        "mtu": mtu.values.get("mtu", 0) if mtu else 0,
        "features": features.values if features else {},
    }


def _governor(counts: Mapping[str, int]) -> Optional[str]:
    if len(counts) < 2:
        return next(iter(counts), None)
    return ", ".join(f"{name} on {counts[name]} CPUs" for name in sorted(counts))


def _node(nic: Nic, node: Node) -> Dict[str, Any]:
    return {
        "cpus": node.cpus,
        "cpus_online": node.cpus_online,
        "cpus_on_nic_node": node.cpus_by_numa.get(nic.numa_node, 0) or node.cpus_online,
        "ram_mib": node.ram_mib,
        "kernel": KernelVersion(node.kernel),
        "governor": _governor(node.governors),
        "idle_state": node.idle.state if node.idle else None,
        "idle_exit_latency": node.idle.exit_latency if node.idle else None,
    }
