# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ansible inventory of running nodes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, Iterable

from . import ssh
from .node import Node


def variables(node: Node) -> Dict[str, Any]:
    """Host variables: how to reach the node, and in `lab_*` what it is."""
    # The shared connection's socket lives and dies with the node, so no ssh process outlasts it.
    arguments = [
        *ssh.OPTIONS,
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "ControlMaster=auto",
        "-o",
        "ControlPersist=60s",
        "-o",
        f"ControlPath={node.sockets / 'ansible'}",
    ]
    return {
        "ansible_host": "127.0.0.1",
        "ansible_port": node.port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(node.image.ssh_key),
        "ansible_ssh_common_args": " ".join(arguments),
        "ansible_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
        "lab_kernel": node.kernel,
        "lab_nics": [{"interface": nic.interface, "driver": nic.driver, "mac": nic.mac} for nic in node.nics],
    }


def document(nodes: Iterable[Node], group: str = "fleet") -> Dict[str, Any]:
    """The inventory in the shape of Ansible's yaml plugin, all nodes in one group."""
    return {"all": {"children": {group: {"hosts": {node.name: variables(node) for node in nodes}}}}}


def write(path: Path, nodes: Iterable[Node], group: str = "fleet") -> Path:
    """Write the inventory (JSON, which is YAML too) and return its path."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(json.dumps(document(nodes, group), indent=2) + "\n", encoding="utf-8")
    scratch.replace(path)
    return path
