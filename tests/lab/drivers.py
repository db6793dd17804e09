# SPDX-License-Identifier: GPL-3.0-or-later
"""Driver modules of Debian's kernels as they are packed, far more than the fleet itself loads: to read names in.

What a .deb holds is unpacked once into the lab's cache, under a name made of that .deb and the wanted modules.
"""

from __future__ import annotations

import json
import lzma
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, Mapping, Optional, Sequence, Tuple

from wirespeed.kernel.btf import STRUCT, Btf
from wirespeed.kernel.module_strings import ModuleStrings, sections

from . import archive, cache
from .errors import LabError
from .kernels import Kernel

_KEPT = 6
_QSTATS = re.compile(rb"\0NETDEV_A_QSTATS_([A-Z_]+)(?=\0)")
_NO_COUNTERS = {"ifindex", "queue-type", "queue-id", "scope", "max"}
_CELL = 32
_FIRST_OF_GROUP = {
    "eth-phy": b"SymbolErrorDuringCarrier",
    "eth-mac": b"FramesTransmittedOK",
    "eth-ctrl": b"MACControlFramesTransmitted",
    "rmon": b"etherStatsUndersizePkts",
}


@dataclass(frozen=True)
class KernelDrivers:
    """The chosen modules of one kernel; ``builtin`` are the names of all that its vmlinux has inside."""

    kernel: Kernel
    modules: Mapping[str, Path]
    builtin: FrozenSet[str]

    @property
    def version(self) -> Tuple[int, int]:
        major, minor = re.findall(r"\d+", self.kernel.release)[:2]
        return int(major), int(minor)

    def module(self, name: str) -> Optional[ModuleStrings]:
        """None when the kernel has no such module."""
        path = self.modules.get(name)
        return None if path is None else ModuleStrings(_decompressed(path))

    def why_absent(self, name: str) -> str:
        return "built in" if name in self.builtin else "not in this kernel"


def unpack(kernel: Kernel, names: Sequence[str]) -> KernelDrivers:
    """The modules ``names`` of a kernel, from the cache or from its package. LabError when that cannot be had."""
    deb = _package(kernel.release)
    target = cache.directory("drivers") / cache.key(deb.name, deb.stat().st_size, sorted(names))
    if not target.exists():
        with cache.locked(f"drivers-{target.name}"):
            if not target.exists():
                with cache.progress(f"driver modules of {deb.name}"), cache.made_in_place(target) as scratch:
                    _extract(deb, names, scratch)
    cache.touch(target)
    cache.prune(target.parent, keep=_KEPT)
    found = {_module_name(path.name): path for path in sorted(target.rglob("*.ko*"))}
    lists = list(target.rglob("modules.builtin"))
    lines = "\n".join(path.read_text(encoding="ascii") for path in lists).splitlines()
    return KernelDrivers(kernel, found, frozenset(_module_name(Path(line).name) for line in lines))


def _package(release: str) -> Path:
    """The .deb with the modules: a package of its own where Debian has split the kernel (since 7.0), else the image."""
    names = [f"linux-{part}-{release}" for part in ("modules", "image")]
    for name in names:
        for path in cache.directory("debs").glob(f"{name}_*.deb"):
            return path
    for lists in (archive.stable(), archive.sid()):
        for name in names:
            if lists.version(name):
                return lists.download(name, lists.version(name))
    raise LabError(
        f"The package with the modules of kernel {release} is neither in the lab's cache nor in the archive any more. "
        "Run `python -m tests.lab build --refresh` for newer kernels."
    )


def _extract(deb: Path, names: Sequence[str], target: Path) -> None:
    """tar(1) over the package's contents: only what is wanted reaches the disk."""
    patterns = [f"*/{spelt}.ko*" for name in names for spelt in {name, name.replace("_", "-")}]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as contents:
        # tar complains about patterns without a match: a driver that this kernel does not have
        subprocess.run(
            ["tar", "-x", "-C", str(target), "--wildcards", "--no-anchored", "*/modules.builtin", *patterns],
            stdin=contents.stdout, check=False, capture_output=True,
        )  # fmt: skip
    if not list(target.rglob("*.ko*")):
        raise LabError(f"{deb} holds none of the modules {', '.join(names)}: its layout has changed.")


def _module_name(file: str) -> str:
    return re.sub(r"\.ko(\.xz|\.zst)?$", "", file).replace("-", "_")


def _decompressed(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    return _zstd(data) if path.suffix == ".zst" else data


def _zstd(data: bytes) -> bytes:
    """What is behind the frame (the kernel appends its size) makes zstd(1) complain, after it has written all."""
    return subprocess.run(["zstd", "-dcq"], input=data, check=False, capture_output=True).stdout


@dataclass(frozen=True)
class CoreNames:
    """Names that the kernel itself gives counters: of struct rtnl_link_stats64, of the netdev family's qstats, and of
    ethtool's standard groups, those in the order of their numbers."""

    rtnl: FrozenSet[str]
    qstats: FrozenSet[str]
    groups: Tuple[str, ...]


def core_names(kernel: Kernel) -> CoreNames:
    """From the BTF of the kernel's own image."""
    kept = cache.directory("drivers-core") / f"{cache.key(kernel.release, cache.source_of('drivers.py'))}.json"
    if not kept.exists():
        found: Dict[str, Sequence[str]] = _core_names(kernel.directory / "vmlinuz")
        draft = kept.with_suffix(".new")
        draft.write_text(json.dumps(found), encoding="ascii")
        draft.rename(kept)
        cache.prune(kept.parent, keep=_KEPT)
    facts = json.loads(kept.read_text(encoding="ascii"))
    return CoreNames(frozenset(facts["rtnl"]), frozenset(facts["qstats"]), tuple(facts["groups"]))


def _core_names(vmlinuz: Path) -> Dict[str, Sequence[str]]:
    image = _vmlinux(vmlinuz.read_bytes())
    btf = next(body for name, body in sections(image) if name == ".BTF")
    types = Btf(btf)
    rtnl = [types.string(member[0]) for member in types.types[types.find("rtnl_link_stats64", STRUCT)].members]
    attributes = {found.decode().lower().replace("_", "-") for found in _QSTATS.findall(btf)}
    return {"rtnl": rtnl, "qstats": sorted(attributes - _NO_COUNTERS), "groups": list(_groups(image))}


def _groups(image: bytes) -> Iterator[str]:
    """The tables of names in net/ethtool/stats.c: cells of ETH_GSTRING_LEN bytes, one behind the other."""
    for group, first in _FIRST_OF_GROUP.items():
        at = image.index(first.ljust(_CELL, b"\0"))
        while image[at : at + 1].isalpha():
            yield f"{group}-{image[at : at + _CELL].rstrip(bytes(1)).decode('ascii')}"
            at += _CELL


def _vmlinux(image: bytes) -> bytes:
    """The ELF file inside a bzImage (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length)."""
    start, length = struct.unpack_from("<II", image, 0x248)
    payload = image[(image[0x1F1] + 1) * 512 + start :][:length]
    if payload.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(payload)
    return _zstd(payload)
