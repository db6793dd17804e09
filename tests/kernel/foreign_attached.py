# SPDX-License-Identifier: GPL-3.0-or-later
"""Someone else's program on a NIC's hook: by `ip link`, or by a bpf_link that lives as long as its process."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from wirespeed import engine

from .netns import Veth

LINK_HOLDER = """
import socket, sys
sys.path[:0] = sys.argv[1:2]
from wirespeed.kernel.bpf_link import XdpLink
from wirespeed.kernel.bpf_object import BpfObject
from wirespeed.model.nic import XdpMode
built, name, nic = sys.argv[2:]
with BpfObject(open(built, "rb").read(), "other") as loaded:
    loaded.only([name])
    loaded.load()
    program = dict(loaded.programs())[name]
    with XdpLink.create(program, socket.if_nametoindex(nic), XdpMode.NATIVE, nic):
        print("attached", flush=True)
        sys.stdin.read()
"""


def on_hook(veth: Veth) -> int:
    """The program's id."""
    return int(veth.node.links()[veth.ifname]["xdp"]["prog"]["id"])


@contextmanager
def by_netlink(veth: Veth, built: Path) -> Iterator[int]:
    """Yields the program's id; it stays on the hook."""
    veth.node.ip("link", "set", veth.ifname, "xdpdrv", "object", str(built), "section", "xdp")
    yield on_hook(veth)


@contextmanager
def by_link(veth: Veth, built: Path, program: str) -> Iterator[int]:
    """Yields the program's id; whoever holds the link ends with the block."""
    engine_path = str(Path(engine.__file__).parents[1])
    argv = veth.node.inside(sys.executable, "-c", LINK_HOLDER, engine_path, str(built), program, veth.ifname)
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "attached\n"
        yield on_hook(veth)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
