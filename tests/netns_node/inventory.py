# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ansible inventory of such nodes."""

from __future__ import annotations

import shlex
from typing import Any, Dict, Mapping, Optional, Sequence

from .node import PYTHON, NetnsNode


def host(node: NetnsNode) -> Dict[str, Any]:
    """The connection variables of one node."""
    return {
        "ansible_connection": "ssh",
        "ansible_host": node.name,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(node.folder / "client"),
        "ansible_ssh_common_args": shlex.join(node.ssh_options),
        "ansible_python_interpreter": PYTHON,
    }


def inventory(
    nodes: Sequence[NetnsNode], variables: Optional[Mapping[str, Mapping[str, Any]]] = None
) -> Dict[str, Any]:
    """``variables``: what each node, by its name, has besides."""
    more = variables or {}
    return {"all": {"hosts": {node.name: {**host(node), **more.get(node.name, {})} for node in nodes}}}
