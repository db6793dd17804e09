# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces and veth pairs for tests, made with iproute2 so that our own code is not needed to test it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

from . import worker

RUN_NETNS = Path("/run/netns")


def command(*argv: str) -> str:
    """Run a command; its standard output, or CalledProcessError with what it said."""
    answer = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if answer.returncode != 0:
        said = answer.stderr.strip() or answer.stdout.strip()
        raise AssertionError(f"`{' '.join(argv)}` failed with {answer.returncode}: {said}")
    return answer.stdout


@dataclass(frozen=True)
class Netns:
    """One network namespace; loopback is up."""

    name: str

    @property
    def path(self) -> Path:
        return RUN_NETNS / self.name

    def run(self, function: Callable[..., Any], *arguments: Any, timeout: float = 120.0, **named: Any) -> Any:
        """Call ``function`` in a forked worker inside; result and exceptions come back."""
        return worker.run(self.path, function, *arguments, timeout=timeout, **named)

    def command(self, *argv: str) -> str:
        """Run a command inside, with the mounts of outside (bpffs stays visible)."""
        return command(*self.inside(*argv))

    def inside(self, *argv: str) -> List[str]:
        """The argument list that runs ``argv`` inside: for subprocess.Popen."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def ip(self, *argv: str) -> str:
        return command("ip", "-netns", self.name, *argv)

    def links(self) -> Dict[str, Dict[str, Any]]:
        """``ip -d -j link`` by interface name."""
        return {link["ifname"]: link for link in json.loads(self.ip("-details", "-json", "link", "show"))}


@dataclass(frozen=True)
class Veth:
    """A pair: ``node``'s end is the NIC under test, ``wire``'s end is where frames come from and go to."""

    node: Netns
    ifname: str
    mac: str
    wire: Netns
    wire_ifname: str
    wire_mac: str


@dataclass
class Factory:
    """Makes namespaces named after the test, and removes all that it made."""

    prefix: str
    made: List[Netns] = field(default_factory=list)

    def netns(self) -> Netns:
        made = Netns(f"{self.prefix}{len(self.made)}")
        command("ip", "netns", "add", made.name)
        self.made.append(made)
        made.ip("link", "set", "lo", "up")
        return made

    def veth(self, queues: int = 1, ifname: str = "ws0", wire_ifname: str = "wire0") -> Veth:
        """A pair over two new namespaces, both ends up, ``queues`` receive and transmit queues on each end."""
        node, wire = self.netns(), self.netns()
        shape = ["numrxqueues", str(queues), "numtxqueues", str(queues)]
        peer = ["peer", "name", wire_ifname, *shape, "netns", wire.name]
        command("ip", "-netns", node.name, "link", "add", ifname, *shape, "type", "veth", *peer)
        node.ip("link", "set", ifname, "up")
        wire.ip("link", "set", wire_ifname, "up")
        mac, wire_mac = node.links()[ifname]["address"], wire.links()[wire_ifname]["address"]
        return Veth(node, ifname, mac, wire, wire_ifname, wire_mac)

    def remove(self) -> None:
        for netns in reversed(self.made):
            command("ip", "netns", "delete", netns.name)
        self.made.clear()


def prefix_of(test: str) -> str:
    """``ws-<test>-<pid>-``: unique on the machine even when two runs test the same thing."""
    return f"ws-{re.sub(r'[^A-Za-z0-9]+', '-', test)[:60].strip('-')}-{os.getpid()}-"


def existing(prefix: str) -> Sequence[str]:
    """Names of the namespaces that start with ``prefix``."""
    return sorted(entry.name for entry in RUN_NETNS.glob(f"{prefix}*")) if RUN_NETNS.is_dir() else []
