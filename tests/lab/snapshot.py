# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that wake up instead of booting: one saved machine per kind, copied for every node of that kind."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Sequence

from . import cache, host, qemu, qmp
from .image import Image
from .node import Node
from .process import run
from .spec import NicSpec

_KEPT = 24  # saved machines; each takes 150 to 200 MB


def start(node: Node, kernel: str, nics: Sequence[NicSpec]) -> None:
    """Bring up a fresh node: restored in about a second when a machine of its kind was saved before, else booted once.

    The state is that of a node just booted, with nothing configured, and its disk is its own.
    """
    saved = _saved(node.image, kernel, nics, node.size)
    if not saved.exists():
        with cache.locked(f"snapshot-{saved.stem}"):
            if not saved.exists():
                _save(node, kernel, nics, saved)
    node.create()
    cache.touch(saved)
    run("cp", "--reflink=auto", "--sparse=always", saved, node.disk)
    node.boot(kernel, nics, restore=True)
    _wake(node)


def _saved(image: Image, kernel: str, nics: Sequence[NicSpec], size: qemu.Machine) -> Path:
    version = run(host.QEMU, "--version").splitlines()[0]
    kind = cache.key(
        image.key,
        kernel,
        [str(nic) for nic in nics],
        size.processors,
        size.memory_mib,
        version,
        host.accelerator(image.kernel(kernel).directory),
        cache.source_of("qemu.py"),
        _processor(),
    )
    return cache.directory("snapshots") / f"{image.key}-{kind}.qcow2"


def _processor() -> str:
    """Under KVM the guest has seen this host's processor, so a machine saved on another kind cannot wake here."""
    words = ("model name", "flags")
    lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split("\n\n", 1)[0].splitlines()
    return "\n".join(line for line in lines if line.startswith(words))


def _save(node: Node, kernel: str, nics: Sequence[NicSpec], saved: Path) -> None:
    with cache.progress(f"first boot of kernel {kernel} with {', '.join(map(str, nics))}, saved for later nodes"):
        node.create()
        node.boot(kernel, nics)
        node.ssh("systemctl is-system-running --wait || true; udevadm settle; sync")
        node.remote.close()
        qmp.human(node.monitor, f"savevm {qemu.SNAPSHOT}")
        node.kill()
        scratch = saved.with_suffix(f".{os.getpid()}")
        run("cp", "--reflink=auto", "--sparse=always", node.disk, scratch)
        scratch.rename(saved)
    cache.say(f"  {saved}: {cache.mebibytes(saved)} MiB")
    _prune(saved.parent)


def _prune(folder: Path) -> None:
    """A saved machine is of no use without the image that its disk is an overlay of."""
    for saved in folder.glob("*.qcow2"):
        if not (cache.directory("images") / saved.name.partition("-")[0]).exists():
            saved.unlink(missing_ok=True)
    cache.prune(folder, keep=_KEPT, pattern="*.qcow2")


def _wake(node: Node) -> None:
    """A machine that slept has an old clock and the name of the node that was saved."""
    node.ssh(f"date -s @{time.time():.0f} > /dev/null; hostname {node.name}; systemctl restart systemd-journald")
