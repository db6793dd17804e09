# SPDX-License-Identifier: GPL-3.0-or-later
"""netdevsim for the fleet's kernels: the kernel's own make-believe NIC, with devlink, which no NIC of QEMU has.

Debian's kernels leave it out, so it is built from Debian's own source of the same version, out of tree. The
development suite's kernel is made with a newer compiler and tools for a newer libc than a Debian 12 machine has.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import List

from . import archive, cache
from .errors import LabError
from .kernels import Kernel
from .node import Node
from .process import run

LABELS = ("6.1", "6.12")
_COMPILER = "gcc-12"
_KEPT = 6
_MODULES = "psample macsec udp_tunnel ip6_udp_tunnel"
"""What netdevsim may need, by kernel; modprobe of one that this kernel has built in, or not, is no error here."""


def missing() -> List[str]:
    """What keeps it from being built on this machine; each a phrase that names the probe."""
    return [f"`{tool}` is not on PATH" for tool in (f"x86_64-linux-gnu-{_COMPILER}", "make") if not shutil.which(tool)]


def build(kernel: Kernel) -> Path:
    """netdevsim.ko for a kernel, from the cache when it is there. LabError when it cannot be built."""
    if kernel.label not in LABELS or missing():
        reason = "; ".join(missing()) or f"the kernel {kernel.label} is not built for this machine's compiler"
        raise LabError(f"netdevsim cannot be built for {kernel.release}: {reason}.")
    target = cache.directory("netdevsim") / cache.key(kernel.release, cache.source_of("netdevsim.py"))
    if not target.exists():
        with cache.locked(f"netdevsim-{target.name}"):
            if not target.exists():
                with cache.progress(f"netdevsim for {kernel.release}"), cache.made_in_place(target) as scratch:
                    _build(kernel, scratch)
                cache.prune(target.parent, keep=_KEPT)
    cache.touch(target)
    return target / "netdevsim.ko"


def load(node: Node) -> None:
    """Put the module into a node that runs, and load it."""
    node.put(build(node.image.kernel(node.kernel)), "/root/netdevsim.ko")
    node.ssh(f"for module in {_MODULES}; do modprobe -q $module || true; done; insmod /root/netdevsim.ko")


def add(node: Node, number: int, queues: int = 4) -> str:
    """One device with one port; the name that udev gives its interface."""
    node.ssh(f"echo '{number} 1 {queues}' > /sys/bus/netdevsim/new_device; udevadm settle")
    return node.out(f"ls /sys/bus/netdevsim/devices/netdevsim{number}/net")


def _build(kernel: Kernel, target: Path) -> None:
    lists = archive.Lists("stable")
    headers = f"linux-headers-{kernel.release}"
    version = lists.version(headers)
    if not version:
        raise LabError(
            f"The archive has no {headers} any more, so netdevsim cannot be built for this kernel: "
            "build the lab's image anew (python -m tests.lab build --refresh)."
        )
    major, minor = re.findall(r"\d+", kernel.release)[:2]
    source = f"linux-source-{major}.{minor}"
    needed = [name for name in lists.depends(headers) if name.startswith(("linux-headers-", "linux-kbuild-"))]
    tree = target / "tree"
    tree.mkdir()
    for package in (headers, source, *needed):
        _unpack(lists, f"{package}={version}", tree)
    run("tar", "-C", tree, "-xf", tree / f"usr/src/{source}.tar.xz", "--wildcards", "*/drivers/net/netdevsim")
    module = tree / source / "drivers/net/netdevsim"
    made_for = tree / "usr/src" / headers
    common = (made_for / "Makefile").read_text(encoding="ascii")
    (made_for / "Makefile").write_text(common.replace(" /usr/src/", f" {tree}/usr/src/"), encoding="ascii")
    (made_for / "vmlinux").unlink(missing_ok=True)  # its BTF would want pahole
    run("make", "-C", made_for, f"M={module}", "CONFIG_NETDEVSIM=m", "modules")
    run("strip", "--strip-debug", module / "netdevsim.ko")
    shutil.move(str(module / "netdevsim.ko"), target / "netdevsim.ko")
    shutil.rmtree(tree)


def _unpack(lists: archive.Lists, package: str, tree: Path) -> None:
    run("apt-get", *lists.options(), "-o", "APT::Sandbox::User=root", "download", package, cwd=tree)
    (deb,) = tree.glob("*.deb")
    run("dpkg-deb", "-x", deb, tree)
    deb.unlink()
