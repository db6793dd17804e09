# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, find and end such nodes. What `tests.lab.node.Node` offers for a virtual machine, under the same names."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional

from tests.lab import netns, process
from tests.lab.errors import LabError
from tests.lab.process import run
from tests.lab.qemu import Nic
from tests.lab.wire import Wire

from . import sshd

PYTHON = "/usr/bin/python3"
INTERFACE, FAR_END = "ws0", "wire0"
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
STARTING_SECONDS = 30


def _registry() -> Path:
    return Path("/run/wirespeed-netns")


@dataclass
class NetnsNode:
    """``init`` is the pid of the node's first process as this machine counts, ``started`` its start time."""

    name: str
    init: int = 0
    started: int = 0
    mac: str = ""

    @property
    def folder(self) -> Path:
        return _registry() / self.name

    @property
    def namespace(self) -> str:
        return f"wsnode-{self.name}"

    @property
    def wire_namespace(self) -> str:
        return f"wswire-{self.name}"

    @property
    def nics(self) -> List[Nic]:
        return [Nic(0, "veth", "veth", INTERFACE, self.mac, self.wire_namespace, FAR_END, "", "")]

    @property
    def alive(self) -> bool:
        return bool(self.init) and process.started_at(self.init) == self.started

    @property
    def ssh_options(self) -> List[str]:
        return [*sshd.options(self.folder, self.name, self.init), "-i", str(self.folder / "client")]

    def ssh(
        self, command: str, *, check: bool = True, timeout: float = 120, feed: Optional[str] = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a shell command as root on the node. LabError when it fails, unless ``check`` is off."""
        argv = ["ssh", *self.ssh_options, f"root@{self.name}", command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, input=feed or "", check=False)
        if check and done.returncode:
            said = (done.stderr or done.stdout).strip()[-1500:]
            raise LabError(f"`{command}` on {self.name} failed with exit code {done.returncode}: {said}")
        return done

    def out(self, command: str) -> str:
        """Standard output of a command on the node, stripped."""
        return self.ssh(command).stdout.strip()

    @contextlib.contextmanager
    def wire(self, index: int = 0) -> Iterator[Wire]:
        """The far end of the NIC: send frames into it, take the frames that it transmits."""
        wire = Wire(self.nics[index])
        try:
            yield wire
        finally:
            wire.close()

    def up(self, queues: int = 4) -> None:
        """Start it; returns when SSH is ready. LabError says what is missing; nothing stays after a failure."""
        if not NAME.fullmatch(self.name):
            raise LabError(f"`{self.name}` is no name for a node: a letter, then up to 30 of a-z, 0-9 and -.")
        if self.folder.exists():
            raise LabError(f"Node {self.name} exists already; take it down first.")
        try:
            self.folder.mkdir(parents=True, mode=0o700)
            sshd.prepare(self.folder, self.name)
            self._cable(queues)
            self._start()
            self._save()
        except BaseException:
            self.down()
            raise

    def _cable(self, queues: int) -> None:
        netns.create(self.namespace)
        netns.create(self.wire_namespace)
        shape = ["numrxqueues", queues, "numtxqueues", queues]
        peer = ["peer", "name", FAR_END, *shape, "netns", self.wire_namespace]
        add = ["link", "add", INTERFACE, *shape, "type", "veth", *peer]
        run("ip", "-n", self.namespace, *map(str, add))
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        run("ip", "-n", self.namespace, "link", "set", INTERFACE, "up")
        run("ip", "-n", self.wire_namespace, "link", "set", FAR_END, "up")
        shown = json.loads(run("ip", "-n", self.namespace, "-j", "link", "show", INTERFACE))
        self.mac = str(shown[0]["address"])

    def _start(self) -> None:
        isolated = ["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--propagation", "private", "--"]
        first = [PYTHON, "-B", str(Path(__file__).with_name("init.py")), self.name, str(self.folder)]
        enter = ["nsenter", f"--net=/run/netns/{self.namespace}", "--"]
        with open(self.folder / "init.log", "w", encoding="utf-8") as log:
            outer = subprocess.Popen(
                [*enter, *isolated, *first],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        assert outer.stdout is not None
        with outer.stdout:
            ready, _, _ = select.select([outer.stdout], [], [], STARTING_SECONDS)
            said = outer.stdout.readline() if ready else b""
        children = _children(outer.pid)
        outer.returncode = 0  # it waits for the node's first process and is reaped in `down`, or by init
        self.init = children[0] if children else 0
        self.started = process.started_at(self.init) or 0
        if said != b"ready\n":
            words = (self.folder / "init.log").read_text(encoding="utf-8").strip()[-600:]
            raise LabError(f"Node {self.name} did not start: {words or 'it said nothing'}")

    def down(self) -> None:
        """End it and every process in it; what it wrote is gone. Fine on a node that is half up or not there."""
        if self.alive:
            outer = _parent(self.init)
            descriptor = os.pidfd_open(self.init)
            os.kill(self.init, signal.SIGKILL)
            select.select([descriptor], [], [])
            os.close(descriptor)
            with contextlib.suppress(ChildProcessError):  # somebody else's child: theirs to reap
                os.waitpid(outer, 0)
        netns.delete(self.namespace)
        netns.delete(self.wire_namespace)
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            _registry().rmdir()  # unless others are there
        self.init = self.started = 0

    def leftovers(self) -> List[str]:
        """What of this node is still on the machine, as phrases; empty after ``down``."""
        found = [f"process {self.init}"] if self.alive else []
        found += [f"network namespace {name}" for name in (self.namespace, self.wire_namespace) if netns.exists(name)]
        return found + ([str(self.folder)] if self.folder.exists() else [])

    def _save(self) -> None:
        facts = {"init": self.init, "started": self.started, "mac": self.mac}
        (self.folder / "node.json").write_text(json.dumps(facts), encoding="ascii")


def load(name: str) -> NetnsNode:
    """The node of that name; one that is not there has no ``init``."""
    node = NetnsNode(name)
    with contextlib.suppress(FileNotFoundError):
        facts = json.loads((node.folder / "node.json").read_text(encoding="ascii"))
        node.init, node.started, node.mac = facts["init"], facts["started"], facts["mac"]
    return node


def everyone() -> List[NetnsNode]:
    return [load(path.name) for path in sorted(_registry().glob("*"))]


@contextlib.contextmanager
def node(name: str, queues: int = 4) -> Iterator[NetnsNode]:
    """A node for as long as the body runs."""
    made = NetnsNode(name)
    made.up(queues)
    try:
        yield made
    finally:
        made.down()


def _children(pid: int) -> List[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _parent(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))
