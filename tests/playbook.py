# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the real ansible-playbook on the staged collection, and read back what every task returned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

ROOT = Path(__file__).resolve().parent.parent
NODE = "wirespeed.xdp.node"
COUNTERS = "wirespeed.xdp.counters_info"


@dataclass(frozen=True)
class Play:
    """``results`` are the callback's lines: host, task, action, outcome, result."""

    code: int
    output: str
    results: List[Dict[str, Any]]

    def of(self, action: str, host: str) -> Dict[str, Any]:
        """The last result of ``action`` on ``host``."""
        found = [line["result"] for line in self.results if line["action"] == action and line["host"] == host]
        assert found, f"{action} did not run on {host}:\n{self.output}"
        return dict(found[-1])

    def node(self, host: str) -> Dict[str, Any]:
        return self.of(NODE, host)

    def changed(self, host: str) -> int:
        """The recap's ``changed=`` of one host."""
        return int(self.of("stats", host)["changed"])


def collections_path() -> str:
    """Where the collection is staged; staging is quick when nothing changed."""
    command = [sys.executable, str(ROOT / "collection" / "stage.py")]
    staged = Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return str(next(parent.parent for parent in [staged, *staged.parents] if parent.name == "ansible_collections"))


def run(
    inventory: Mapping[str, Any],
    playbook: str,
    variables: Optional[Mapping[str, Any]] = None,
    arguments: List[str] = [],  # noqa: B006 - never changed
    check: bool = True,
) -> Play:
    """``inventory`` is Ansible's JSON inventory. With ``check`` a failed play is an AssertionError."""
    with tempfile.TemporaryDirectory(prefix="wirespeed-play-") as folder:
        where = Path(folder)
        (where / "inventory.json").write_text(json.dumps(inventory))
        (where / "variables.json").write_text(json.dumps(variables or {}))
        results = where / "results.jsonl"
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(where / "inventory.json")]
        command += ["-e", f"@{where / 'variables.json'}", playbook, *arguments]
        done = subprocess.run(
            command, cwd=folder, env=_environment(results), capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        lines = results.read_text().splitlines() if results.exists() else []
        play = Play(done.returncode, done.stdout + done.stderr, [json.loads(line) for line in lines])
    assert not check or play.code == 0, play.output
    return play


def _environment(results: Path) -> Dict[str, str]:
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": collections_path(),
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "results",
        "WIRESPEED_RESULTS": str(results),
        "WIRESPEED_CACHE": str(results.parent / "cache"),  # of modules that run on this machine itself
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_HOST_KEY_CHECKING": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
    }
