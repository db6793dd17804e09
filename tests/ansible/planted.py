# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody may do to a node behind our back, by everybody's tools, and what a drift report must say of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Sequence, Tuple, Union

from tests.netns_node.node import INTERFACE, NetnsNode

PINS = "/sys/fs/bpf/wirespeed"
PIPELINE = "scrubber"
TUNING: Dict[str, Dict[str, Any]] = {
    "channels": {"rx": 4, "tx": 2},
    "features": {"rx-gro": True},
    "mtu": {"mtu": 1400},
    "napi": {"defer-hard-irqs": 2, "gro-flush-timeout": 20000},
    "rfs": {"flows-per-queue": 128},
    "rps": {"cpus": "spread"},
    "txqueuelen": {"txqueuelen": 2000},
    "xps": {"cpus": "spread"},
}
ROWS: Dict[str, List[Any]] = {
    "deny_v4": ["192.0.2.0/24", "198.51.100.7/32"],
    "customers_v4": [{"prefix": "203.0.113.0/24", "customer": 601, "policy": 12}],
    "ports": [{"policy": 12, "protocol": 6, "port": 443, "action": "allow"}],
}
QUEUES = f"/sys/class/net/{INTERFACE}/queues"

Deed = Union[str, Callable[[NetnsNode], None]]


@dataclass(frozen=True)
class Plant:
    """``path`` and ``kind`` are what the report has to say; two plants of one ``place`` would hide each other."""

    name: str
    place: str
    deed: Deed
    path: str
    kind: str

    def on(self, node: NetnsNode) -> None:
        if callable(self.deed):
            self.deed(node)
        else:
            node.ssh(self.deed)


def setting(name: str, key: str, deed: str) -> Plant:
    return Plant(name, name, deed, f"{INTERFACE}.{name}.{key}", name)


def program(name: str, deed: Deed) -> Plant:
    return Plant(name, "program", deed, f"{INTERFACE}.xdp", "program")


def rows(name: str, table: str, deed: Deed) -> Plant:
    return Plant(name, table, deed, f"{PIPELINE}.{table}", "config")


def code(name: str, deed: str) -> Plant:
    """Without its code a pipeline's rows are gone too, and are no deviation beside it."""
    return Plant(name, "code", deed, f"{PIPELINE}.slot", "code")


def live(table: str) -> Callable[[NetnsNode], Tuple[str, List[Any]]]:
    """The pin of the side of a table that holds rows, and those rows, as bytes."""

    def find(node: NetnsNode) -> Tuple[str, List[Any]]:
        pin = f"{PINS}/{PIPELINE}/*/maps/{table}"
        text = node.out(
            f"for pin in $(ls {pin} {pin}_[ab] 2>/dev/null); do echo $pin; bpftool -j map dump pinned $pin; done"
        )
        lines = text.splitlines()
        for name, dump in zip(lines[::2], lines[1::2]):
            found = json.loads(dump)
            if isinstance(found, list) and found and isinstance(found[0]["value"], list) and len(found[0]["key"]) > 4:
                return name, found
        raise AssertionError(f"no rows in {table} of {node.name}:\n{text}")

    return find


def _meddle(table: str, what: str, change_key: int = 0, change_value: int = 0) -> Callable[[NetnsNode], None]:
    def deed(node: NetnsNode) -> None:
        pin, found = live(table)(node)
        key, value = ([int(byte, 16) for byte in found[0][part]] for part in ("key", "value"))
        key[-1] ^= change_key
        value[-1] ^= change_value
        if change_key:
            key[0] = 32  # a longer prefix, for the last byte counts then
        written = f"value {' '.join(map(str, value))}" if what == "update" else ""
        node.ssh(f"bpftool map {what} pinned {pin} key {' '.join(map(str, key))} {written}")

    return deed


FOREIGN = "/sys/fs/bpf/foreign"
LINK = f"{PINS}/links/{INTERFACE}"


def replaced(node: NetnsNode) -> None:
    """Our link is broken, and the program of another loader takes the hook."""
    objects = "/usr/lib/*/bpf/xdpfilt_alw_all.o"
    node.ssh(f"bpftool link detach pinned {LINK} && bpftool prog loadall $(ls {objects}) {FOREIGN} type xdp")
    node.ssh(f"bpftool net attach xdpdrv pinned $(ls -d {FOREIGN}/* | head -1) dev {INTERFACE}")


PLANTS: Sequence[Plant] = (
    setting("channels", "tx", f"ethtool -L {INTERFACE} tx 4"),
    program("program gone", f"bpftool link detach pinned {LINK}"),
    setting("features", "rx-gro", f"ethtool -K {INTERFACE} gro off"),
    rows("entry removed", "deny_v4", _meddle("deny_v4", "delete")),
    setting("mtu", "mtu", f"ip link set {INTERFACE} mtu 1300"),
    program("program replaced", replaced),
    setting("txqueuelen", "txqueuelen", f"ip link set {INTERFACE} txqueuelen 99"),
    rows("entry changed", "customers_v4", _meddle("customers_v4", "update", change_value=1)),
    setting("napi", "defer-hard-irqs", f"echo 7 > /sys/class/net/{INTERFACE}/napi_defer_hard_irqs"),
    program("pin of the link gone", f"rm {LINK}"),
    setting("xps", "cpus", f"echo 0 > {QUEUES}/tx-1/xps_cpus"),
    code("pins of the code gone", f"rm -r {PINS}/{PIPELINE}/*/progs"),
    setting("rps", "cpus", f"echo 0 > {QUEUES}/rx-1/rps_cpus"),
    rows("entry added", "deny_v4", _meddle("deny_v4", "update", change_key=1)),
    setting("rfs", "flows-per-queue", f"echo 64 > {QUEUES}/rx-1/rps_flow_cnt"),
    code("slot emptied", f"bpftool map delete pinned {PINS}/{PIPELINE}/slots key 0 0 0 0"),
    rows("port opened", "ports", _meddle("ports", "delete")),
)
"""In an order in which neighbours differ in what they touch."""


def spread(number: int, nodes: Sequence[str]) -> Dict[str, List[Plant]]:
    """``number`` of them on these nodes in turn, those of one place never on one node."""
    found: Dict[str, List[Plant]] = {name: [] for name in nodes}
    for at in range(number):
        plant = PLANTS[at % len(PLANTS)]
        free = [name for name in nodes if _fits(plant, found[name])]
        if not free:
            raise ValueError(f"{number} do not fit on {len(nodes)} nodes: no place for {plant.name}")
        found[min(free, key=lambda name: len(found[name]))].append(plant)
    return found


def _fits(plant: Plant, there: Sequence[Plant]) -> bool:
    """Rows cannot be meddled with where the code that has them is gone."""
    about_code = {"code", "config"}
    clash = any({plant.kind, each.kind} <= about_code and "code" in (plant.kind, each.kind) for each in there)
    return not clash and all(each.place != plant.place for each in there)
