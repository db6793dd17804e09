# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian kernels of the guests: found in the archive by label, unpacked, cut down to what the fleet loads.

Labels: "6.1" and "6.12" are the highest version of that series in the guests' release (security, updates and
backports included); "newest" is what linux-image-amd64 of Debian's development suite depends on.
"""

from __future__ import annotations

import fnmatch
import lzma
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Tuple

from . import archive, cache
from .errors import LabError
from .process import run

LABELS = ("6.1", "6.12", "newest")
_INITRD_MODULES = ("virtio_pci", "virtio_blk", "ext4", "crc32c_generic", "crc32c_intel", "crc32c_cryptoapi")
_GUEST_MODULES = (
    "kernel/drivers/net/ethernet/intel/*",
    "kernel/drivers/net/*.ko*",
    "kernel/drivers/net/vmxnet3/*",
    "kernel/drivers/net/bonding/*",
    "kernel/drivers/net/netdevsim/*",
    "kernel/drivers/net/ipvlan/*",
    "kernel/drivers/net/phy/*",
    "kernel/drivers/net/mdio/*",
    "kernel/drivers/virtio/*",
    "kernel/drivers/ptp/*",
    "kernel/drivers/block/virtio_blk*",
    "kernel/drivers/char/hw_random/*",
    "kernel/drivers/i2c/algos/*",
    "kernel/drivers/dca/*",
    "kernel/net/sched/*",
    "kernel/net/core/*",
    "kernel/net/8021q/*",
    "kernel/net/802/*",
    "kernel/net/bridge/*",
    "kernel/net/llc/*",
    "kernel/net/packet/*",
    "kernel/net/ipv4/*",
    "kernel/net/ipv6/*",
    "kernel/net/netfilter/*",
    "kernel/net/xdp/*",
    "kernel/net/mpls/*",
    "kernel/net/psample/*",
    "kernel/net/tls/*",
    "kernel/fs/ext4/*",
    "kernel/fs/jbd2/*",
    "kernel/fs/overlayfs/*",
    "kernel/fs/autofs/*",
    "kernel/fs/configfs/*",
    "kernel/lib/*",
)

_INIT = """#!/bin/busybox sh
b=/bin/busybox
echo "lab: init"
$b mount -t devtmpfs dev /dev; $b mount -t proc proc /proc; $b mount -t sysfs sys /sys
for module in /modules/*.ko; do $b insmod $module 2>/dev/null; done
tries=0
until [ -b /dev/vda ]; do
    $b usleep 20000; tries=$((tries+1))
    [ $tries -gt 1500 ] && { echo "lab: no root disk"; $b poweroff -f; }
done
$b mount -t ext4 -o rw,noatime /dev/vda /root || { echo "lab: the root disk cannot be mounted"; $b poweroff -f; }
$b mount --move /dev /root/dev; $b umount /proc; $b umount /sys
exec $b switch_root /root /lib/systemd/systemd
"""


@dataclass(frozen=True)
class Packages:
    """Debian packages (name, version) that make up the kernel of a label, and the lists they come from."""

    label: str
    lists: str
    packages: Tuple[Tuple[str, str], ...]


@dataclass(frozen=True)
class Kernel:
    """A built kernel: `release` as `uname -r` says it, and a directory with vmlinuz, initrd.cpio and lib/modules."""

    label: str
    release: str
    directory: Path


def resolve(stable: archive.Lists) -> List[Packages]:
    """Which packages the labels mean today. Fetches the development suite's list for "newest"."""
    series = [_series(stable, label) for label in LABELS if label != "newest"]
    try:
        newest = _newest(archive.sid())
    except LabError as error:
        best = max((found.packages[0] for found in series), key=lambda package: _version_key(package[1]))
        newest = Packages("newest", stable.name, (best,))
        cache.say(
            f"WARNING: the development suite cannot be had ({error}). The label 'newest' means {best[0]} in this "
            "fleet, so no kernel newer than it is tested."
        )
    return [*series, newest]


def _series(lists: archive.Lists, label: str) -> Packages:
    pattern = re.compile(rf"linux-image-{re.escape(label)}\.\d[^-]*(-\d+)?-amd64")
    names = [name for name in lists.names(f"linux-image-{label}.") if pattern.fullmatch(name)]
    versions = [(name, lists.version(name)) for name in sorted(names, key=_version_key)[-3:]]
    found = [entry for entry in versions if entry[1]]
    if not found:
        raise LabError(
            f"No kernel {label} (a package linux-image-{label}.*-amd64) is in {archive.GUEST} or its "
            f"security, updates and backports suites as this machine reaches them."
        )
    return Packages(label, lists.name, (max(found, key=lambda entry: _version_key(entry[1])),))


def _newest(lists: archive.Lists) -> Packages:
    """The image package and, where the kernel is split over several, those that hold vmlinuz and the modules."""
    image = [name for name in lists.depends("linux-image-amd64") if name.startswith("linux-image-")]
    if not image:
        raise LabError("linux-image-amd64 of the development suite depends on no linux-image package")
    release = image[0][len("linux-image-") :]
    parts = [f"linux-{part}-{release}" for part in ("base", "binary", "modules")]
    names = [image[0], *(name for name in parts if lists.version(name))]
    return Packages("newest", lists.name, tuple((name, lists.version(name)) for name in names))


def _version_key(text: str) -> List[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def build(wanted: Packages) -> Kernel:
    """The kernel of a label, from the cache when its packages and this file are unchanged."""
    name = cache.key(wanted.packages, cache.source_of("kernels.py"))
    target = cache.directory("kernels") / name
    if not target.exists():
        debs = [archive.Lists(wanted.lists).download(package, version) for package, version in wanted.packages]
        with cache.progress(f"kernel {wanted.label} ({wanted.packages[0][0]})"), cache.made_in_place(target) as scratch:
            _unpack(debs, scratch)
        cache.say(f"  {target}: {cache.mebibytes(target)} MiB")
    cache.touch(target)
    return Kernel(wanted.label, (target / "release").read_text(encoding="ascii").strip(), target)


def _unpack(debs: Iterable[Path], target: Path) -> None:
    full = target / "full"
    for deb in debs:
        run("dpkg-deb", "-x", deb, full)
    modules = next(path for base in ("usr/lib/modules", "lib/modules") for path in (full / base).glob("*"))
    release = modules.name
    run("depmod", "-b", modules.parents[2], release)
    image = next((path for path in [*full.glob("boot/vmlinuz-*"), modules / "vmlinuz"] if path.exists()), None)
    if image is None:
        raise LabError(f"No vmlinuz in the packages {', '.join(deb.name for deb in debs)}: their layout has changed.")
    shutil.copy(image, target / "vmlinuz")
    dependencies = _dependencies(modules)
    _copy_modules(modules, dependencies, target / "lib" / "modules" / release)
    run("depmod", "-b", target, release)
    _write_initrd(modules, dependencies, target)
    (target / "release").write_text(release + "\n", encoding="ascii")
    shutil.rmtree(full)


def _dependencies(modules: Path) -> Dict[str, List[str]]:
    """modules.dep: file -> files it needs, the nearest last (depmod(8) writes them so)."""
    lines = (modules / "modules.dep").read_text(encoding="ascii").splitlines()
    return {name: needs.split() for name, _, needs in (line.partition(":") for line in lines)}


def _copy_modules(modules: Path, dependencies: Dict[str, List[str]], target: Path) -> None:
    chosen = {name for name in dependencies if any(fnmatch.fnmatch(name, glob) for glob in _GUEST_MODULES)}
    chosen.update(needed for name in list(chosen) for needed in dependencies[name])
    extra = [
        name for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order") if (modules / name).exists()
    ]
    for name in [*chosen, *extra]:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(modules / name, target / name)


def _module_name(path: str) -> str:
    return re.sub(r"\.ko(\.xz|\.zst)?$", "", os.path.basename(path)).replace("-", "_")


def _write_initrd(modules: Path, dependencies: Dict[str, List[str]], target: Path) -> None:
    """A few megabytes: busybox, the modules that reach the root disk in loading order, and an init that mounts it."""
    by_name = {_module_name(path): path for path in dependencies}
    order: List[str] = []
    for name in _INITRD_MODULES:
        path = by_name.get(name)
        for needed in [*reversed(dependencies[path]), path] if path else []:
            if needed not in order:
                order.append(needed)
    tree = target / "initrd"
    for folder in ("bin", "modules", "proc", "sys", "dev", "root"):
        (tree / folder).mkdir(parents=True)
    shutil.copy(str(shutil.which("busybox")), tree / "bin" / "busybox")
    for number, name in enumerate(order):
        (tree / "modules" / f"{number:02d}-{_module_name(name)}.ko").write_bytes(_decompressed(modules / name))
    (tree / "init").write_text(_INIT, encoding="ascii")
    (tree / "init").chmod(0o755)
    names = "\0".join(sorted(str(path.relative_to(tree)) for path in tree.rglob("*")))
    packed = subprocess.run(
        ["cpio", "--null", "-o", "-H", "newc", "--quiet", "-R", "0:0"],
        cwd=tree,
        check=True,
        input=names.encode(),
        stdout=subprocess.PIPE,
    )
    (target / "initrd.cpio").write_bytes(packed.stdout)
    shutil.rmtree(tree)


def _decompressed(path: Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", str(path)], check=True, stdout=subprocess.PIPE).stdout
    return path.read_bytes()
