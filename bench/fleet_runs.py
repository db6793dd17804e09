# SPDX-License-Identifier: GPL-3.0-or-later
"""One ansible-playbook over many nodes, and what it took: of the control node, of the nodes, of memory."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Collection, Dict, List, Mapping, Sequence, Tuple

from tests import playbook
from tests.netns_node.inventory import inventory
from tests.netns_node.node import NetnsNode

from . import consumed

CONFIGURATION = playbook.ROOT / "docs" / "examples" / "ansible.cfg"
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """``wall``, ``control`` and ``target`` in seconds of the whole run, the latter two of processor time.

    ``control`` has ansible-playbook, its workers and the ssh processes in it; ``target`` the nodes' sshd and all that
    it started. ``memory`` is the largest that ansible-playbook was, in MiB. ``changed`` is over all hosts.
    """

    hosts: int
    wall: float
    control: float
    target: float
    memory: float
    changed: int


class Controller:
    """The control node: its inventory, its configuration as shipped, and connections that no other run shares."""

    def __init__(self, folder: Path, variables: Mapping[str, Any]) -> None:
        self._folder = folder
        self._variables = dict(variables)
        self._sockets = folder / "cp"
        self._collections = playbook.collections_path()

    def run(self, nodes: Sequence[NetnsNode], name: str, *arguments: str) -> Run:
        """Connections are opened within the run, as they are by the first run of a day."""
        hosts: Dict[str, Any] = inventory(nodes)
        hosts["all"]["vars"] = self._variables
        listed = self._folder / "inventory.json"
        listed.write_text(json.dumps(hosts))
        inits = [node.init for node in nodes]
        before, started = consumed.by_nodes(inits), time.perf_counter()
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(listed), name, *arguments]
        try:
            used, said = self._play(command)
            return Run(
                len(nodes),
                time.perf_counter() - started,
                used.ru_utime + used.ru_stime + consumed.by_masters(self._sockets),
                consumed.by_nodes(inits) - before,
                used.ru_maxrss / 1024,
                sum(int(found[2]) for found in RECAP.findall(said)),
            )
        finally:
            self._close(inits)

    def _play(self, command: List[str]) -> Tuple["resource.struct_rusage", str]:
        """What the process and all that it waited for have used, and its output; an interrupt ends it as well."""
        output = self._folder / "output"
        with open(output, "wb") as out:
            process = subprocess.Popen(
                command, cwd=self._folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
            try:
                _, status, used = os.wait4(process.pid, 0)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        process.returncode = os.waitstatus_to_exitcode(status)
        said = output.read_text(errors="replace")
        assert process.returncode == 0, said[-4000:]
        return used, said

    def _close(self, inits: Collection[int]) -> None:
        """Returns when the nodes have no process but their first, whose own time the next run starts from."""
        for socket in self._sockets.glob("*"):
            subprocess.run(
                ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "node"], capture_output=True, check=False
            )
        while consumed.count(inits) > len(inits):
            time.sleep(0.1)

    def _environment(self) -> Dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_CONFIG": str(CONFIGURATION),
            "ANSIBLE_COLLECTIONS_PATH": self._collections,
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._sockets),
            "ANSIBLE_HOST_KEY_CHECKING": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(self._folder / "tmp"),
        }


def masks(node: NetnsNode, nic: str, kind: str, direction: str) -> List[str]:
    """What the kernel shows for each queue of a NIC."""
    return node.out(f"cat /sys/class/net/{nic}/queues/{direction}-*/{kind}_cpus").split()
