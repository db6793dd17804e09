# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the node module on eight NICs that are as wanted already, beside Ansible's own ping."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator

from tests import playbook
from tests.netns_node.inventory import inventory
from tests.netns_node.node import NetnsNode

from .eight_nics import NICS, eight_nics
from .paired import measure, row

PLAY = """
- hosts: all
  gather_facts: false
  tasks: [{%s}]
"""
PING = PLAY % "ansible.builtin.ping: {}"
NODE = PLAY % 'wirespeed.xdp.node: {nics: "{{ nics }}", pipelines: [{name: scrubber}]}'
COUNTING_SSH = '#!/bin/sh\necho >>"{log}"\nexec ssh "$@"\n'


def report() -> Iterator[str]:
    with eight_nics() as node, tempfile.TemporaryDirectory(prefix="wirespeed-bench-") as folder:
        where = Path(folder)
        bench = _Bench(node, where)
        first = bench.play("node.yml", NODE)
        assert first.changed(node.name), "the first run has nothing to do"
        pair = measure(lambda: bench.empty(), lambda: bench.play("ping.yml", PING), rounds=3)
        yield row(f"playbook over {len(NICS)} NICs as wanted", pair, "node", "ping")
        sessions = {name: bench.sessions(f"{name}.yml", text) for name, text in (("node", NODE), ("ping", PING))}
        yield f"SSH sessions of one such playbook: node {sessions['node']}, ping {sessions['ping']}"


class _Bench:
    def __init__(self, node: NetnsNode, folder: Path) -> None:
        self._node = node
        self._folder = folder
        self._log = folder / "sessions"
        ssh = folder / "ssh"
        ssh.write_text(COUNTING_SSH.format(log=self._log))
        ssh.chmod(0o755)
        nics = [{"name": name, "pipeline": "scrubber"} for name in NICS]
        variables: Dict[str, Dict[str, Any]] = {node.name: {"nics": nics, "ansible_ssh_executable": str(ssh)}}
        self._inventory = inventory([node], variables)

    def play(self, name: str, text: str) -> playbook.Play:
        path = self._folder / name
        path.write_text(text)
        return playbook.run(self._inventory, str(path))

    def empty(self) -> None:
        play = self.play("node.yml", NODE)
        assert play.changed(self._node.name) == 0, play.output

    def sessions(self, name: str, text: str) -> int:
        self._log.write_text("")
        self.play(name, text)
        return len(self._log.read_text().splitlines())
