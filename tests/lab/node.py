# SPDX-License-Identifier: GPL-3.0-or-later
"""A node of the fleet: a virtual machine with a disk that lasts, NICs under test, and SSH on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from . import cache, netns, process, qemu, qmp
from .errors import LabError
from .image import Image
from .process import run
from .spec import NicSpec, check_name, parse_nic
from .ssh import Remote
from .wire import Wire

_SOCKETS = Path("/run/wirespeed-lab")  # short: a unix socket's path holds 107 bytes
_TRIES = 3
_POLL = 0.05


# A boot takes 10 to 20 s and 15 to 25 processor-seconds under TCG on an idle machine. On a loaded one it takes as many
# processor-seconds or a few times that, and any time at all: a boot counts as hung by what it used, not by the clock.
_PATIENCE = 60.0  # seconds that every boot gets
_ENOUGH = 200.0  # processor-seconds after which a guest that has not come up never will
_LIMIT = 900.0  # seconds that no boot gets


@dataclass
class Node:
    """What is known of a node; everything but the image is in `node.json`, so another process can take over."""

    name: str
    image: Image
    kernel: str = ""
    nic_specs: Tuple[NicSpec, ...] = ()
    size: qemu.Machine = qemu.Machine()
    owner: Tuple[int, int] = (0, 0)  # pid and start of the test run that cleans it up; 0: it stays until asked to go
    pid: int = 0
    started: int = 0
    port: int = 0
    boot_seconds: float = 0.0
    nics: List[qemu.Nic] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        return cache.directory("nodes") / self.name

    @property
    def sockets(self) -> Path:
        return _SOCKETS / self.name

    @property
    def namespace(self) -> str:
        return f"wslab-{self.name}"

    @property
    def disk(self) -> Path:
        return self.directory / "disk.qcow2"

    @property
    def monitor(self) -> Path:
        return self.sockets / "qmp"

    @property
    def remote(self) -> Remote:
        return Remote(self.port, self.image.ssh_key, self.sockets / "ssh")

    @property
    def alive(self) -> bool:
        return bool(self.pid) and process.started_at(self.pid) == self.started

    # --- what one does with a node -------------------------------------------------------------------------------

    def ssh(
        self, command: str, *, check: bool = True, timeout: float = 120, feed: Optional[str] = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a shell command as root on the node. LabError when it fails, unless `check` is off."""
        return self.remote.run(command, check=check, timeout=timeout, feed=feed)

    def out(self, command: str) -> str:
        """Standard output of a command on the node, stripped."""
        return self.ssh(command).stdout.strip()

    def until(self, condition: str, timeout: int = 20) -> None:
        """Wait on the node for a shell condition to hold. LabError when it does not within `timeout` seconds."""
        asked = f"until {condition}; do sleep 0.1; done"
        done = self.ssh(f"timeout {timeout} bash -c {shlex.quote(asked)}", check=False)
        if done.returncode:
            raise LabError(
                f"On node {self.name} `{condition}` did not hold within {timeout} s: "
                f"{(done.stderr or done.stdout).strip()[-600:]}"
            )

    def put(self, local: Path, remote: str) -> None:
        self.remote.put(local, remote)

    @contextlib.contextmanager
    def wire(self, index: int = 0) -> Iterator[Wire]:
        """The far end of a NIC: send frames into it, take the frames that it transmits."""
        wire = Wire(self.nics[index])
        try:
            yield wire
        finally:
            wire.close()

    def carrier(self, up: bool, index: int = 0) -> None:
        """Plug the cable of a NIC in or pull it out."""
        qmp.human(self.monitor, f"set_link n{index} {'on' if up else 'off'}")

    # --- life ----------------------------------------------------------------------------------------------------

    def create(self) -> None:
        """A fresh disk over the image: nothing of an earlier node of this name is left."""
        check_name(self.name)
        if self.alive:
            raise LabError(f"Node {self.name} is running (pid {self.pid}); take it down first.")
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.save()
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", self.image.disk, "-F", "raw", self.disk)

    def boot(self, kernel: str, nics: Sequence[NicSpec], restore: bool = False) -> None:
        """Start from the node's disk, into any kernel; return when sshd answers.

        A boot that hangs is killed and tried again. `restore` wakes the saved machine in the disk instead of booting.
        """
        self.kernel, self.nic_specs = kernel, tuple(nics)
        self.image.kernel(kernel)
        start = time.monotonic()
        for attempt in range(1, _TRIES + 1):
            self._launch(restore)
            if self._answers_in_time():
                self.boot_seconds = round(time.monotonic() - start, 2)
                self.save()
                return
            evidence = self.collect(cache.directory("failed-boots") / f"{self.name}-{attempt}")
            self.kill()
            cache.say(f"node {self.name}: boot {attempt} of {_TRIES} gave no SSH; console and QEMU's words: {evidence}")
        raise LabError(
            f"Node {self.name} (kernel {kernel}, NICs {', '.join(map(str, nics))}) did not answer on SSH in "
            f"{_TRIES} boots: see {evidence}. {self._last_words()}"
        )

    def _launch(self, restore: bool) -> None:
        self.release()
        self.sockets.mkdir(parents=True, mode=0o700)
        self.port = _free_port()
        self.nics = qemu.nics(self.nic_specs, self.sockets, self.namespace)
        argv, fds = qemu.command(
            self.image,
            self.name,
            self.kernel,
            self.size,
            self.directory,
            self.sockets,
            self.port,
            self.nic_specs,
            self.nics,
        )
        try:
            with open(self.directory / "qemu.log", "w", encoding="utf-8") as log:
                child = subprocess.Popen(
                    [*argv, *(["-loadvm", qemu.SNAPSHOT] if restore else [])],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=fds,
                    start_new_session=True,
                )
        finally:
            for fd in fds:
                os.close(fd)
        self.pid, self.started = child.pid, process.started_at(child.pid) or 0
        child.returncode = 0  # reaped by `release`, or by init when this process is gone: not by Popen
        self.save()

    def _answers_in_time(self) -> bool:
        start = looked = time.monotonic()
        used = 0.0
        while self.alive and time.monotonic() < start + _LIMIT:
            if self.remote.answers():
                return True
            if time.monotonic() > looked + _PATIENCE:
                before, used, looked = used, process.cpu_seconds(self.pid), time.monotonic()
                if used > _ENOUGH or used - before < 1.0:
                    return False
            time.sleep(_POLL)
        return False

    def _last_words(self) -> str:
        for name in ("qemu.log", "console.log"):
            path = self.directory / name
            text = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
            if text:
                return f"The last of {name}: {text[-600:]}"
        return "Neither QEMU nor the console said anything."

    def reboot(self, kernel: str = "", nics: Sequence[NicSpec] = ()) -> None:
        """Clean shutdown, then a boot from the same disk, perhaps into another kernel or with other NICs."""
        self.shut_down()
        self.boot(kernel or self.kernel, nics or self.nic_specs)

    def shut_down(self, timeout: float = 90) -> None:
        """Clean shutdown: /etc and /var stay on the disk. LabError when the guest does not end."""
        self.ssh("systemctl poweroff", check=False)
        self.remote.close()
        if not self._ended(timeout):
            raise LabError(f"Node {self.name} did not power off within {timeout:.0f} s. {self._last_words()}")
        self.release()

    def kill(self) -> None:
        """Pull the plug: what the guest did not flush is lost, what it fsynced stays."""
        self.remote.close()
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            if not self._ended(30):
                raise LabError(f"QEMU of node {self.name} (pid {self.pid}) survived SIGKILL.")
        self.release()

    def _ended(self, timeout: float) -> bool:
        end = time.monotonic() + timeout
        while self.alive and time.monotonic() < end:
            time.sleep(_POLL)
        if self.alive:
            return False
        process.reap(self.pid)
        return True

    def release(self) -> None:
        """Give back what a stopped node leaves on this host: its network namespace with taps, its sockets."""
        if self.alive:
            raise LabError(f"Node {self.name} still runs (pid {self.pid}).")
        if self.pid:
            process.reap(self.pid)
        netns.delete(self.namespace)
        shutil.rmtree(self.sockets, ignore_errors=True)
        self.pid = self.started = 0

    def remove(self) -> None:
        """The plug, the disk and every trace."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def leftovers(self) -> List[str]:
        """What of this node is still on the host, as phrases; empty after `remove`."""
        found = [f"process {self.pid}"] if self.alive else []
        found += [f"network namespace {self.namespace}"] if netns.exists(self.namespace) else []
        return found + [str(path) for path in (self.sockets, self.directory) if path.exists()]

    def collect(self, target: Path) -> Path:
        """Copy console, QEMU's output and, when it answers, the guest's journal to `target`; return that."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in ("console.log", "qemu.log", "node.json"):
            if (self.directory / name).exists():
                shutil.copy(self.directory / name, target / name)
        if self.alive and self.remote.answers(timeout=3):
            with contextlib.suppress(subprocess.TimeoutExpired):
                said = self.ssh("journalctl -b --no-pager -o short-monotonic; ip -s -d link", check=False, timeout=60)
                (target / "journal.log").write_text(said.stdout, encoding="utf-8")
        return target

    # --- from one process to another -----------------------------------------------------------------------------

    def save(self) -> None:
        facts = {
            "image": self.image.key,
            "kernel": self.kernel,
            "nics": [str(spec) for spec in self.nic_specs],
            "processors": self.size.processors,
            "memory_mib": self.size.memory_mib,
            "owner": self.owner,
            "pid": self.pid,
            "started": self.started,
            "port": self.port,
            "boot_seconds": self.boot_seconds,
        }
        scratch = self.directory / "node.json.new"
        scratch.write_text(json.dumps(facts, indent=1), encoding="ascii")
        scratch.rename(self.directory / "node.json")


def load(name: str, image: Image) -> Optional[Node]:
    """A node that some process started, running or not; None when there is none of that name.

    It keeps the image that its disk is an overlay of, which may be older than `image`.
    """
    path = cache.directory("nodes") / name / "node.json"
    if not path.exists():
        return None
    facts: Dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
    specs = tuple(parse_nic(text) for text in facts["nics"])
    image = replace(image, key=facts["image"], directory=image.directory.with_name(facts["image"]))
    node = Node(
        name,
        image,
        facts["kernel"],
        specs,
        qemu.Machine(facts["processors"], facts["memory_mib"]),
        (facts["owner"][0], facts["owner"][1]),
        facts["pid"],
        facts["started"],
        facts["port"],
        facts["boot_seconds"],
    )
    node.nics = qemu.nics(specs, node.sockets, node.namespace)
    return node


def everyone(image: Image) -> List[Node]:
    """Every node that has a directory, by name."""
    names = sorted(path.parent.name for path in cache.directory("nodes").glob("*/node.json"))
    return [node for node in (load(name, image) for name in names) if node]


def remove_orphans(image: Image) -> None:
    """Take down the nodes of test runs that ended without doing so (killed, or out of memory); one worker at a time."""
    with cache.locked("orphans"):
        for node in everyone(image):
            pid, started = node.owner
            if pid and process.started_at(pid) != started:
                cache.say(f"node {node.name} was left by a test run that is gone (pid {pid}): removed")
                node.remove()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
