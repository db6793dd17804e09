# SPDX-License-Identifier: GPL-3.0-or-later
"""What a NIC carries, as a trace sees it: whose program it is, and which of its functions returns the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..errors import KernelRefusal, Refused, WirespeedError
from ..kernel import bpf_link
from ..kernel import btf as btfs
from ..kernel.bpf_prog import BpfProgram
from ..pipeline import attach
from ..pipeline.pins import Paths


@dataclass(frozen=True)
class Subject:
    """``program`` is the id of what the NIC carries, for our pipelines the root; ``pipeline`` is None for a foreign
    one. ``name`` is the pipeline's, or the program's own."""

    nic: str
    ifindex: int
    program: int
    name: str
    pipeline: Optional[str] = None


def on(paths: Paths, nic: str) -> Subject:
    """Raises :class:`WirespeedError` where there is no such NIC, :class:`Refused` where it carries no program."""
    index = attach.ifindex(nic)
    holder = bpf_link.query(index)
    if holder is None:
        raise Refused(f"{nic} carries no XDP program, so there are no verdicts to trace.", "Attach a pipeline first.")
    ours = attach.ours_on(paths, index, holder)
    with BpfProgram.by_id(holder.prog_id) as program:
        own = program.info.name or f"program {holder.prog_id}"
    if ours is None:
        return Subject(nic, index, holder.prog_id, own)
    return Subject(nic, index, holder.prog_id, ours.pipeline or own, ours.pipeline)


def carried(nic: Subject) -> Optional[int]:
    """The id of what the NIC carries now; None when it carries nothing, or is gone."""
    try:
        holder = bpf_link.query(nic.ifindex)
    except KernelRefusal:
        return None
    return holder.prog_id if holder else None


def function_of(program: BpfProgram) -> str:
    """The whole name of its main function, of which the kernel shows 15 characters. Raises :class:`WirespeedError`."""
    info = program.info
    types = btfs.of_kernel(info.btf_id).types if info.btf_id else ()
    names = [each.name for each in types if each.kind == btfs.FUNC and each.name.startswith(info.name)]
    if not info.name or not names:
        raise WirespeedError(
            f"Program {info.id} '{info.name}' has no type information, which fexit needs.",
            "Compile it with -g, or trace a pipeline by its trace build.",
        )
    return info.name if info.name in names else names[0]
