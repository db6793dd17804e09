# SPDX-License-Identifier: GPL-3.0-or-later
"""Take everything of ours off a node: links, pins, records, the stored state. By the pins alone if need be."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import List

from .apply.lock import node_lock
from .apply.recover import pending
from .errors import KernelRefusal, Refused, WirespeedError
from .kernel import bpf_link, bpffs
from .kernel.bpf_link import XdpLink
from .kernel.bpf_prog import BpfProgram
from .pipeline import attach, metadata, programs, protocol
from .pipeline.links import PinnedLink, pinned_link
from .pipeline.pins import PROTOCOL, STAGING, Paths


@dataclass
class Removed:
    """``detached`` names NICs, ``files`` are the folders that are gone; ``notes`` say what stays and why."""

    detached: List[str] = field(default_factory=list)
    pipelines: List[str] = field(default_factory=list)
    files: List[str] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.detached or self.pipelines or self.files)


def uninstall(paths: Paths, keep_state: bool) -> Removed:
    """Raises :class:`Refused` for pins of a newer protocol, and then has changed nothing; :class:`~.errors.Busy`."""
    removed = Removed()
    folders = [paths.cache, paths.run] if keep_state else [paths.cache, paths.state, paths.run]
    there = [folder for folder in folders if folder.exists()]
    with node_lock(paths.run / "lock"):
        if bpffs.is_bpffs(paths.bpffs):
            _take_off(paths, removed)
        if pending(paths.state / "journal"):
            removed.notes.append("A run had been killed half-way: what it began on NIC settings stays as well.")
        for folder in folders:
            if _remove(folder) and folder in there:
                removed.files.append(str(folder))
    return removed


def _take_off(paths: Paths, removed: Removed) -> None:
    """Links first: a NIC must not run a root whose slot nobody can write any more."""
    protocol.check(paths)
    for link in _links(paths):
        if link.ifindex:
            _detach(link)
            removed.detached.append(link.ifname)
    for name in _held_over_netlink(paths):
        removed.detached.append(name)
    for pipeline in paths.pipelines():
        _unpin(paths, pipeline)
        removed.pipelines.append(pipeline)
    bpffs.remove_tree(paths.base)


def _links(paths: Paths) -> List[PinnedLink]:
    """What is pinned for NICs. Raises :class:`Refused` where a newer version made it, as far as that can be told."""
    found, known = [], programs.known(paths)
    for pin in bpffs.entries(paths.links):
        try:
            found.append(pinned_link(pin, known))
        except KernelRefusal as error:
            if error.code != errno.EINVAL:
                raise
            # No XDP link. Whoever pinned that here: it goes, and what it is stays if others hold it.
    marked = protocol.present(paths) is not None
    for link in found:
        with BpfProgram.by_id(link.prog_id) as program:
            version = metadata.read(program).get(metadata.PREFIX + "protocol", 0 if marked else None)
        if not isinstance(version, int) or version > PROTOCOL:
            raise Refused(
                f"The program that {link.pin} holds on {link.ifname} follows version {version} of the pin protocol; "
                f"this Wirespeed knows {PROTOCOL}. Nothing was changed.",
                "Upgrade Wirespeed on this node and run it again.",
            )
    return found


def _held_over_netlink(paths: Paths) -> List[str]:
    """Takes off what was adopted from an attachment over netlink, which has no link of ours; returns the NICs."""
    names = []
    for held in attach.held_over_netlink(paths):
        with BpfProgram.by_id(held.prog_id) as program:
            bpf_link.netlink_off(held.ifindex, program, held.mode, held.nic)
        names.append(held.nic)
    return names


def _detach(link: PinnedLink) -> None:
    with XdpLink.pinned(str(link.pin)) as held:
        try:
            held.detach()
        except KernelRefusal as error:
            if error.code != errno.ENOLINK:  # died meanwhile
                raise


def _unpin(paths: Paths, pipeline: str) -> None:
    """Renamed first, so that a kill in between leaves what the next run knows to be incomplete."""
    staging = Path(f"{paths.pipeline(pipeline)}{STAGING}")
    bpffs.remove_tree(staging)
    os.rename(paths.pipeline(pipeline), staging)
    bpffs.remove_tree(staging)


def _remove(folder: Path) -> bool:
    """Its contents and, where it is no mount point, itself. False when it was not there."""
    if not folder.is_dir():
        return False
    try:
        for entry in sorted(folder.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    except OSError as error:
        raise WirespeedError(f"Cannot remove {error.filename}: {error.strerror}.", "Remove it by hand.") from error
    bpffs.remove_if_empty(folder)
    return True
