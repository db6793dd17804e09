# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a host with eight NICs, beside the same facts gathered with the ethtool and ip commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Iterator, List

from tests.netns_node.node import PYTHON, NetnsNode

from .eight_nics import NICS, eight_nics, inside
from .paired import measure, row

ENGINE = Path(__file__).resolve().parent.parent / "plugins" / "module_utils" / "wirespeed"
PLACE = "/root/engine"  # in the node
# What one NIC takes by hand: identity, then each setting that `wirespeed facts` shows, by the command that shows it.
ETHTOOL = ("-i", "-k", "-l", "-g", "-x", "-c", "-a", "-n", "--show-priv-flags", "--show-fec", "--show-eee")
TIMED = """
import json, sys, time
from wirespeed import engine
engine.facts(sys.argv[1:], None)
started = time.perf_counter()
engine.facts(sys.argv[1:], None)
print(time.perf_counter() - started)
"""


def report() -> Iterator[str]:
    with eight_nics() as node:
        shutil.copytree(ENGINE, f"/proc/{node.init}/root{PLACE}/wirespeed")
        pair = measure(lambda: _ours(node), lambda: _theirs(node))
        yield row(
            f"facts of {len(NICS)} NICs, whole process", pair, "wirespeed", f"{len(ETHTOOL)} ethtool calls a NIC + ip"
        )
        yield f"facts of {len(NICS)} NICs, in a process that has imported all: {_in_process(node):.3f} s (aim: 0.3 s)"


def _run(node: NetnsNode, command: List[str], check: bool = True) -> str:
    environment = {**os.environ, "PYTHONPATH": PLACE, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run([*inside(node), *command], env=environment, capture_output=True, text=True, check=check)
    return done.stdout


def _ours(node: NetnsNode) -> Any:
    found = json.loads(_run(node, [PYTHON, "-m", "wirespeed.cli", "facts", "--json", *NICS]))
    assert set(NICS) <= set(found["nics"]), "facts of a NIC are missing"
    return found


def _theirs(node: NetnsNode) -> None:
    """A command that a NIC does not support fails, as it does by hand."""
    _run(node, ["ip", "-details", "-json", "link", "show"])
    for nic in NICS:
        for option in ETHTOOL:
            _run(node, ["ethtool", option, nic], check=False)


def _in_process(node: NetnsNode) -> float:
    return float(_run(node, [PYTHON, "-c", TIMED, *NICS]))
