# SPDX-License-Identifier: GPL-3.0-or-later
"""A member that is a virtual machine with a driver and a kernel of its own."""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import replace
from typing import Any, Callable, ContextManager, Dict, Iterator

from tests.lab import Node, inventory, qmp
from tests.lab.agent import Agent
from tests.lab.site import INTERFACES
from tests.lab.wire import Wire
from tests.pipelines import REPOSITORY

from . import guard
from .guard import DENIED, Wanted
from .member import Member

RESETS = {"igb": 1024}
"""Drivers whose rings each edition has at another size, a multiple of this, which resets the NIC under traffic."""


class LabMember(Member):
    nic = INTERFACES[0]
    rate = 60.0

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node, self.name = node, node.name
        self._agent = self._take_charge()

    def _take_charge(self) -> Agent:
        self.node.ssh(f"mkdir -p /root/guard && ip link set {self.nic} up")
        self.node.put(REPOSITORY / "tests/ledger/stack.py", "/root/guard")
        self.node.until(f"grep -q 1 /sys/class/net/{self.nic}/carrier")
        return Agent(self.node, "rollout_agent.py")

    @property
    def connection(self) -> Dict[str, Any]:
        return inventory.variables(self.node)

    def close(self) -> None:
        self._agent.close()

    def wire(self) -> ContextManager[Wire]:
        return self.node.wire()

    def variables(self, wanted: Wanted) -> Dict[str, Any]:
        unit = RESETS.get(self.node.nics[0].driver)
        return wanted.variables(self.nic, **({"rings": {"rx": unit * wanted.edition}} if unit else {}))

    def inside(self, *command: str) -> str:
        """Over this test's own connection, which lasts when Ansible's end."""
        return self.node.ssh(shlex.join(command)).stdout

    @contextlib.contextmanager
    def counting(self) -> Iterator[Callable[[], int]]:
        self._agent.request(watch=[self.nic, DENIED])
        yield lambda: int(self._agent.request(escaped=True)["frames"])

    def apply(self, wanted: Wanted) -> None:
        for file in guard.files(wanted.manifest):
            self.node.put(file, "/root/guard")
        answer = self._agent.request(apply=self.intent(wanted))
        assert "error" not in answer, f"{self.name}: {answer['error']}"

    def cut_off(self) -> None:
        qmp.human(self.node.monitor, f"hostfwd_remove management tcp:127.0.0.1:{self.node.port}")
        replace(self.node.remote, control=self.node.sockets / "ansible").close()

    def back(self) -> None:
        qmp.human(self.node.monitor, f"hostfwd_add management tcp:127.0.0.1:{self.node.port}-10.0.2.15:22")

    def power_off(self) -> None:
        """Without a word: what was not on its disk is gone."""
        self.node.kill()
        self.close()

    def power_on(self) -> None:
        self.node.boot(self.node.kernel, self.node.nic_specs)
        self._agent = self._take_charge()
