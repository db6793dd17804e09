# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel that is installed on this machine, running or not: its modules, its configuration, its types.

Files: ``/lib/modules/RELEASE`` (modules.dep, modules.builtin, modules.builtin.modinfo of kmod and kbuild),
``/boot/config-RELEASE``, and a vmlinux or bzImage in either of the two.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, FrozenSet, List, Optional, Set, Tuple

from ..errors import BadInput, Place
from . import decompress
from .module_strings import sections

_RELEASE = re.compile(r"[0-9][A-Za-z0-9._+~-]{0,127}")
_FILE = re.compile(r"\.ko(\.(xz|zst|gz))?$")
_OPTION = re.compile(r"^CONFIG_(\w+)=(.*)$", re.MULTILINE)
_TYPE_STRINGS = 8  # where a BTF header has hdr_len


@dataclass(frozen=True)
class InstalledKernel:
    """``root`` is where ``lib/modules`` and ``boot`` lie: ``/``, or a tree that a package was unpacked to."""

    release: str
    root: Path = Path("/")

    @property
    def folder(self) -> Path:
        usual = self.root / "lib" / "modules" / self.release
        unlinked = self.root / "usr" / "lib" / "modules" / self.release
        return unlinked if unlinked.is_dir() and not usual.is_dir() else usual

    @property
    def modules(self) -> Dict[str, Path]:
        """Module -> its file. Raises :class:`BadInput` where modules.dep cannot be read."""
        path = self.folder / "modules.dep"
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            remedy = f"Install the kernel's package again, or run 'depmod {self.release}'."
            raise BadInput(Place(str(path)), "", f"cannot be read: {error.strerror}.", remedy) from None
        files = (line.partition(":")[0] for line in lines if ":" in line)
        return {module_name(file): self.folder / file for file in files}

    @property
    def built_in(self) -> Dict[str, Tuple[Tuple[str, str], ...]]:
        """Module that the kernel has inside -> its modinfo (kernels since 5.2 tell it)."""
        names = (module_name(line) for line in _text(self.folder / "modules.builtin").splitlines())
        found: Dict[str, List[Tuple[str, str]]] = {name: [] for name in names}
        for row in _text(self.folder / "modules.builtin.modinfo").split("\0"):
            name, dot, rest = row.partition(".")
            key, equals, value = rest.partition("=")
            if dot and equals and name in found:
                found[name].append((key, value))
        return {name: tuple(rows) for name, rows in found.items()}

    @property
    def options(self) -> Optional[Dict[str, str]]:
        """Its configuration without ``CONFIG_``; None where its file is not there."""
        for path in (self.root / "boot" / f"config-{self.release}", self.folder / "config"):
            text = _text(path)
            if text:
                return dict(_OPTION.findall(text))
        return None

    def type_names(self) -> Optional[FrozenSet[str]]:
        """Every name in the kernel's type information; None where no image is at hand, or one without BTF.

        Raises :class:`BadInput` and ``MissingPrerequisite`` for an image that cannot be unpacked.
        """
        image = self._running_types() or self._types_of_image()
        if image is None or len(image) < _TYPE_STRINGS + 16:
            return None
        header = int.from_bytes(image[4:8], "little")
        offset, size = (int.from_bytes(image[at : at + 4], "little") for at in (16, 20))
        body = image[header + offset : header + offset + size]
        return frozenset(name.decode("utf-8", "replace") for name in body.split(b"\0"))

    def _running_types(self) -> Optional[bytes]:
        if self.release != platform.release() or self.root != Path("/"):
            return None
        try:
            return Path("/sys/kernel/btf/vmlinux").read_bytes()
        except OSError:
            return None

    def _types_of_image(self) -> Optional[bytes]:
        boot = self.root / "boot"
        places = [self.folder / "vmlinux", boot / f"vmlinux-{self.release}", boot / f"vmlinuz-{self.release}"]
        path = next((path for path in [*places, self.folder / "vmlinuz"] if path.is_file()), None)
        if path is None:
            return None
        return next((body for name, body in sections(decompress.kernel_image(path)) if name == ".BTF"), None)


def find(release: str, root: Path = Path("/")) -> InstalledKernel:
    """``6.12`` stands for the newest of that series. Raises :class:`BadInput` for one that is not installed here."""
    place, field = Place("command line"), "--to"
    if not _RELEASE.fullmatch(release):
        example = "6.12.107+deb13-amd64"
        raise BadInput(place, field, f"is {release!r}.", f"Write a release as 'uname -r' does: {example} for instance.")
    installed = releases(root)
    series = [each for each in installed if re.match(rf"{re.escape(release)}[.-]", each)]
    found = InstalledKernel(release if release in installed or not series else series[-1], root)
    if not found.folder.is_dir():
        here = ", ".join(installed) or "none"
        remedy = f"Install its package first: its modules are what tells. Installed are: {here}."
        raise BadInput(place, field, f"{release!r} is no kernel of this node: {found.folder} is not there.", remedy)
    return found


def releases(root: Path = Path("/")) -> List[str]:
    """Kernels whose modules are installed, the oldest first."""
    names: Set[str] = set()
    for folder in (root / "lib" / "modules", root / "usr" / "lib" / "modules"):
        try:
            names.update(entry.name for entry in os.scandir(folder) if (folder / entry.name / "modules.dep").is_file())
        except OSError:
            pass
    return sorted((name for name in names if _RELEASE.fullmatch(name)), key=_order)


def module_name(file: str) -> str:
    """``kernel/drivers/net/foo-bar.ko.xz`` -> ``foo_bar``: the kernel takes both for one."""
    return _FILE.sub("", os.path.basename(file)).replace("-", "_")


def _order(release: str) -> List[Tuple[int, int, str]]:
    """Numbers by their size, and a candidate (``-rc1``) before what it is one for."""
    return [_rank(part) for part in re.findall(r"\d+|[A-Za-z]+", release)]


def _rank(part: str) -> Tuple[int, int, str]:
    return (2, int(part), "") if part.isdigit() else (0 if part == "rc" else 1, 0, part)


def _text(path: Path) -> str:
    """Empty where there is no such file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
