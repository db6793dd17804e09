# SPDX-License-Identifier: GPL-3.0-or-later
"""A network namespace whose NICs are veth pairs into another one, with a bpffs and folders that nobody else uses."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator

from tests.kernel.netns import Factory, Netns, command
from tests.lab.frames import udp
from tests.ledger import build

LAST = 2**31
PLACES = ("BPFFS", "RUN", "STATE")


@dataclass(frozen=True)
class Cabled:
    """``wires``: by NIC, the interface at its other end. ``folder`` is gone with the namespaces."""

    node: Netns
    wire: Netns
    wires: Dict[str, str]
    folder: Path


@contextmanager
def cabled(*nics: str, queues: int = 0) -> Iterator[Cabled]:
    """The environment names the places meanwhile, to wirespeed and to libxdp. ``queues`` on each end; 0 as is usual."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wirespeed-bench-")))
        factory = Factory(f"ws-bench-{os.getpid()}-")
        stack.callback(factory.remove)
        made = Cabled(factory.netns(), factory.netns(), {nic: f"wire{at}" for at, nic in enumerate(nics)}, folder)
        shape = ["numrxqueues", str(queues), "numtxqueues", str(queues)] if queues else []
        for nic, wire in made.wires.items():
            far = ["peer", "name", wire, *shape, "netns", made.wire.name]
            made.node.ip("link", "add", nic, *shape, "type", "veth", *far)
            made.node.ip("link", "set", nic, "up")
            made.wire.ip("link", "set", wire, "up")
        stack.enter_context(_places(folder))
        yield made


@contextmanager
def _places(folder: Path) -> Iterator[None]:
    said = {f"WIRESPEED_{name}": str(folder / name.lower()) for name in PLACES}
    said["LIBXDP_BPFFS"] = said["WIRESPEED_BPFFS"]
    before = {name: os.environ.get(name) for name in said}
    for name in PLACES:
        (folder / name.lower()).mkdir(mode=0o700)
    command("mount", "-t", "bpf", "bpf", said["WIRESPEED_BPFFS"])
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})
        command("umount", said["WIRESPEED_BPFFS"])


@contextmanager
def traffic(made: Cabled, per_second: int) -> Iterator[None]:
    """So many frames a second on each NIC, from before the first line of the block to its end."""
    sender = build.sender(made.folder)
    links = made.node.links()
    with ExitStack() as stack:
        for nic, wire in made.wires.items():
            argv = made.wire.inside(str(sender), wire, str(per_second), str(LAST))
            process = stack.enter_context(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(udp(links[nic]["address"], 0))
            process.stdin.close()
            assert process.stdout.readline() == b"sending\n"
        yield
