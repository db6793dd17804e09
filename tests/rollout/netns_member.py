# SPDX-License-Identifier: GPL-3.0-or-later
"""A member that is a network namespace with a veth pair."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Callable, ContextManager, Dict, Iterator, Mapping, Sequence

from tests.lab import netns
from tests.lab.wire import Wire
from tests.ledger.stack import Stack
from tests.netns_node import inventory
from tests.netns_node.node import INTERFACE, PYTHON, NetnsNode
from tests.pipelines import REPOSITORY

from . import guard
from .guard import DENIED, Wanted
from .member import STATE, Member

HOME = "/root/guard"
MAIN = "import sys; from wirespeed.cli import main; sys.exit(main(sys.argv[1:]))"


class NetnsMember(Member):
    nic = INTERFACE
    rate = 200.0

    def __init__(self, node: NetnsNode) -> None:
        super().__init__()
        self.node, self.name = node, node.name

    @property
    def root(self) -> Path:
        """The node's file system, as this machine reaches it."""
        return Path(f"/proc/{self.node.init}/root")

    @property
    def connection(self) -> Dict[str, Any]:
        return inventory.host(self.node)

    def wire(self) -> ContextManager[Wire]:
        return self.node.wire()

    def inside(self, *command: str) -> str:
        enter = ["nsenter", "--target", str(self.node.init), "--mount", "--net", "--pid", "--"]
        done = subprocess.run([*enter, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    def underway(self) -> bool:
        """Without a process: of several members it has to be known at the same instant."""
        return (self.root / STATE.lstrip("/") / "journal").exists()

    @contextlib.contextmanager
    def counting(self) -> Iterator[Callable[[], int]]:
        with netns.inside(self.node.namespace, lambda: Stack(INTERFACE, DENIED)) as stack:
            yield lambda: stack.frames

    def apply(self, wanted: Wanted) -> None:
        files = guard.files(wanted.manifest)
        self._engine("apply", "-f", f"{HOME}/intent.yml", intent=self.intent(wanted), files=files)

    def detach(self) -> None:
        """The pipeline is off the node, as before its first rollout."""
        self._engine("pipeline", "detach", "guard")

    def _engine(self, *words: str, intent: Mapping[str, Any] = {}, files: Sequence[Path] = ()) -> None:
        """The command line of this checkout on the node, whose /tmp is not that of this machine."""
        folder = self.root / HOME.lstrip("/")
        shutil.copytree(REPOSITORY / "plugins/module_utils/wirespeed", folder / "engine/wirespeed")
        for file in files:
            shutil.copy(file, folder)
        (folder / "intent.yml").write_text(json.dumps(intent))
        self.inside("env", f"PYTHONPATH={HOME}/engine", PYTHON, "-B", "-c", MAIN, *words)
        shutil.rmtree(folder)

    def cut_off(self) -> None:
        config = self.root / "etc/ssh/node/sshd_config"
        config.rename(config.with_suffix(".away"))
        here = os.readlink(f"/proc/{self.node.init}/ns/pid")
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(process / "ns/pid") == here and (process / "comm").read_text().startswith("sshd"):
                    os.kill(int(process.name), signal.SIGKILL)

    def back(self) -> None:
        config = self.root / "etc/ssh/node/sshd_config"
        config.with_suffix(".away").rename(config)
