# SPDX-License-Identifier: GPL-3.0-or-later
"""A node of the lab under `wirespeed.xdp.site`, looked at with everybody's tools: ethtool, ip, bpftool, tc.

Nothing here uses Wirespeed's own code to judge Wirespeed. With an agent, a run is the engine's alone, without Ansible
and SSH: what the node module calls, on a node where it is imported already. That is for what is said of the engine and
the drivers; what the playbooks do is said by runs of the playbooks.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from tests import playbook
from tests.playbook import Play

from . import inventory
from .agent import Agent
from .node import Node

IGB, VIRTIO, VMXNET3, E1000E = range(4)
NICS = ("igb", "virtio:queues=4:rss=on", "vmxnet3", "e1000e")
INTERFACES = ("enp1s0", "enp2s0", "enp3s0", "enp4s0")
DENIED_V4, DENIED_V6 = "198.18.0.0/24", "2001:db8:bad::/48"
TABLES = {"deny_v4": [DENIED_V4], "deny_v6": [DENIED_V6]}
PINS = "/sys/fs/bpf/wirespeed"
VERDICTS = ("pass", "not_inspected", "deny_prefix_v4", "deny_prefix_v6", "malformed")


@dataclass
class Site:
    """``nics`` are the intent's entries by interface; a test changes them to ask for something else."""

    node: Node
    nics: Dict[str, Dict[str, Any]]
    tables: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict(TABLES))
    agent: Optional[Agent] = None

    def ask(self, nics: Dict[str, Dict[str, Any]]) -> Site:
        """The same node with another intent."""
        return replace(self, nics=nics)

    @property
    def variables(self) -> Dict[str, Any]:
        return {
            "wirespeed_nics": [{"name": name, **asked} for name, asked in self.nics.items()],
            "wirespeed_pipelines": [{"name": "scrubber", "tables": self.tables}],
        }

    def run(self, *arguments: str, check: bool = True, name: str = "site", **variables: Any) -> Play:
        """The playbook `wirespeed.xdp.NAME` over SSH, or with an agent the engine on the node."""
        if self.agent is not None:
            assert arguments in ((), ("--check",)) and name == "site" and not variables, "that takes a playbook"
            return self._engine(check, intent=self.intent, predict=bool(arguments))
        everything = {**self.variables, **variables}
        inventory_ = inventory.document([self.node])
        return playbook.run(inventory_, f"wirespeed.xdp.{name}", everything, list(arguments), check)

    @property
    def intent(self) -> Dict[str, Any]:
        return {key[len("wirespeed_") :]: value for key, value in self.variables.items()}

    def count(self, window_seconds: float, min_packets: int) -> Play:
        """What came in over a window, and whether it adds up; by the engine, while traffic runs."""
        words = {"window_seconds": window_seconds, "min_packets": min_packets}
        return self._engine(False, intent=self.intent, count=words)

    def _engine(self, must: bool, **request: Any) -> Play:
        """In the shape of a playbook's run: exit code, what was said, and the node module's result."""
        assert self.agent is not None
        answer = self.agent.request(**request)
        result = answer.get("result", {})
        lines = [(playbook.NODE, result), ("stats", {"changed": int(result.get("changed", False))})]
        told = [{"host": self.node.name, "action": action, "result": found} for action, found in lines]
        play = Play(0 if "result" in answer else 2, answer.get("error", ""), told)
        assert not must or play.code == 0, play.output
        return play

    def steps(self, play: Play) -> List[str]:
        return [step["text"] for step in play.node(self.node.name)["steps"]]

    def drift(self) -> List[str]:
        """Paths of all deviations, as the drift playbook reports them, or with an agent as check mode finds them."""
        if self.agent is not None:
            found = self.agent.request(intent=self.intent, predict=True)["result"]
        else:
            found = self.run(name="drift").node(self.node.name)
        return sorted(each["path"] for each in found["deviations"])

    # --- what everybody's tools say ------------------------------------------------------------------------------

    def link(self, interface: str) -> Dict[str, Any]:
        return dict(json.loads(self.node.out(f"ip -d -j link show {interface}"))[0])

    def carrier_changes(self) -> Dict[str, int]:
        return {name: int(self.node.out(f"cat /sys/class/net/{name}/carrier_changes")) for name in self.nics}

    def programs(self) -> Dict[str, int]:
        """Id of the program on each NIC's XDP hook."""
        return {name: int(self.link(name)["xdp"]["prog"]["id"]) for name in self.nics}

    def rings(self, interface: str) -> Dict[str, int]:
        return self._second_block("-g", interface)

    def channels(self, interface: str) -> Dict[str, int]:
        return self._second_block("-l", interface)

    def _second_block(self, option: str, interface: str) -> Dict[str, int]:
        current = self.node.out(f"ethtool {option} {interface}").split("Current hardware settings:")[1]
        return {key.lower(): int(value) for key, value in re.findall(r"^(\w[\w ]*):\s+(\d+)$", current, re.M)}

    def features(self, interface: str) -> Dict[str, bool]:
        shown = self.node.out(f"ethtool -k {interface}")
        return {key: value == "on" for key, value in re.findall(r"^\s*([\w-]+): (on|off)", shown, re.M)}

    def table(self, interface: str) -> List[int]:
        """The indirection table of `ethtool -x`."""
        rows = re.findall(r"^\s*\d+:((?:\s+\d+)+)$", self.node.out(f"ethtool -x {interface}"), re.M)
        return [int(queue) for row in rows for queue in row.split()]

    def verdicts(self) -> Dict[str, int]:
        """Packets by verdict, summed over CPUs, as bpftool dumps the live instance's pinned map."""
        pins = self.node.out(f"ls -d {PINS}/scrubber/*/maps/verdicts").split()
        cells = json.loads(self.node.out(f"bpftool -j map dump pinned {pins[-1]}"))
        counts = [sum(cpu["value"]["packets"] for cpu in cell["formatted"]["values"]) for cell in cells]
        return dict(zip(VERDICTS, counts))

    # --- frames --------------------------------------------------------------------------------------------------

    def quiet(self) -> None:
        """No frames but the test's own: no neighbour discovery, every NIC up and with carrier."""
        names = " ".join(self.nics)
        self.node.ssh(
            "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; "
            f"for i in {names}; do ip link set $i up; done"
        )
        carriers = " ".join(f"/sys/class/net/{name}/carrier" for name in self.nics)
        count = f"cat {carriers} | grep -c 1 || true"
        self.until(lambda: self.node.out(count) == str(len(self.nics)), "not every NIC has its carrier")

    @contextlib.contextmanager
    def traffic(self, index: int, source: str = "198.51.100.7", rate: float = 200.0) -> Iterator[None]:
        """Frames of many flows from one source into one NIC for as long as the body runs."""
        over = threading.Event()

        def send() -> None:
            with self.node.wire(index) as wire:
                while not over.is_set():
                    wire.stream(50, source=source, rate=rate, flows=50)

        sender = threading.Thread(target=send, name=f"traffic {index}", daemon=True)
        sender.start()
        try:
            yield
        finally:
            over.set()
            sender.join()

    def join_vlan(self, vlan: int) -> None:
        """Have the NICs receive a VLAN: igb and e1000e filter tags that no VLAN device asks for (RCTL.VFE)."""
        for name in self.nics:
            add = f"ip link add link {name} name {name}.{vlan} type vlan id {vlan} && ip link set {name}.{vlan} up"
            self.node.ssh(f"ip link show {name}.{vlan} >/dev/null 2>&1 || ({add})")

    def watch_stack(self, interface: str) -> None:
        """Count, behind XDP, what reaches the stack: tc's flower by source, independent of any NIC counter."""
        self.node.ssh(
            f"tc qdisc replace dev {interface} clsact && tc filter del dev {interface} ingress; "
            f"tc filter add dev {interface} ingress prio 1 protocol ip flower src_ip {DENIED_V4} action ok && "
            f"tc filter add dev {interface} ingress prio 2 protocol ipv6 flower src_ip {DENIED_V6} action ok && "
            f"tc filter add dev {interface} ingress prio 9 protocol all matchall action ok"
        )

    def stack(self, interface: str) -> List[int]:
        """Frames that reached the stack: denied IPv4, denied IPv6, all others."""
        shown = self.node.out(f"tc -s filter show dev {interface} ingress | grep -o 'Sent [0-9]* bytes [0-9]* pkt'")
        return [int(line.split()[3]) for line in shown.splitlines()]

    @staticmethod
    def until(holds: Callable[[], bool], problem: str, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{problem} after {seconds:.0f} s"
            time.sleep(0.1)


def everything(node: Node) -> Site:
    """All four NICs of a node, each with the scrubber."""
    return Site(node, {name: {"pipeline": "scrubber"} for name in INTERFACES})
