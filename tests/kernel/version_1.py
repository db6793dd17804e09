# SPDX-License-Identifier: GPL-3.0-or-later
"""A node as the last version with pin protocol 1 left it: its own objects, its layout, its files."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Dict, Sequence

from wirespeed.config import live
from wirespeed.errors import Place
from wirespeed.kernel import bpffs
from wirespeed.kernel import elf as elfs
from wirespeed.kernel.bpf_link import XdpLink
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.kernel.bpf_object import BpfObject
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.model.nic import XdpMode
from wirespeed.pipeline.manifest import Manifest
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import RODATA, PipelineSource
from wirespeed.pipeline.support import Support

FILES = Path(__file__).resolve().parent.parent / "fixtures" / "protocol_1"
GENERATION = "3fb38a7a6dc6"
_PIPELINE = "bpf_metadata_wirespeed_pipeline"


def scrubber() -> PipelineSource:
    """As it was stored."""
    said = json.loads((FILES / "source.json").read_text(encoding="utf-8"))
    code, root = ((FILES / name).read_bytes() for name in ("scrubber.bpf.o", "root.bpf.o"))
    return PipelineSource(Manifest.from_json(said["manifest"]), code, Support(root), loaded_as=said["digest"])


def lay_out(nic: str, deny_v4: Sequence[str]) -> None:
    """The scrubber on ``nic``, with its record and its store."""
    paths, source = Paths.from_environment(), scrubber()
    pin(paths, source)
    _files(paths)
    with BpfMap.pinned(str(paths.map("scrubber", GENERATION, "deny_v4"))) as table:
        live.change(table, source.tables["deny_v4"], deny_v4, ())
    attach(paths, "scrubber", nic)


def pin(paths: Paths, source: PipelineSource) -> None:
    """A root, and ``source`` published in it."""
    name = source.manifest.name
    _pin_root(paths, name)
    bpffs.make_directory(paths.generation(name, source.generation) / "progs")
    bpffs.make_directory(paths.generation(name, source.generation) / "maps")
    with BpfObject(source.object_bytes, name[:15]) as loaded:
        loaded.only(source.manifest.programs)
        loaded.patch_rodata(source.rodata)
        loaded.load()
        for program_name, program in loaded.programs():
            with program:
                program.pin(str(paths.program(name, source.generation, program_name)))
        for map_name, found in loaded.maps():
            with found:
                plain = RODATA if map_name.endswith(RODATA) else map_name
                found.pin(str(paths.map(name, source.generation, plain)))
    entry = paths.program(name, source.generation, source.manifest.entry)
    with BpfMap.pinned(str(paths.slots(name))) as slots, BpfProgram.pinned(str(entry)) as program:
        slots.update(bytes(4), program.fd.to_bytes(4, "little"))


def attach(paths: Paths, pipeline: str, nic: str) -> None:
    bpffs.make_directory(paths.links)
    with BpfProgram.pinned(str(paths.root(pipeline))) as program:
        with XdpLink.create(program, socket.if_nametoindex(nic), XdpMode.NATIVE, nic) as link:
            link.pin(str(paths.link(nic)))


def _pin_root(paths: Paths, pipeline: str) -> None:
    code = (FILES / "root.bpf.o").read_bytes()
    name = elfs.parse(code, Place("root.bpf.o")).variable(RODATA, _PIPELINE)
    patches: Dict[int, bytes] = {name.offset: pipeline.encode().ljust(name.size, b"\0")}
    bpffs.make_directory(paths.pipeline(pipeline))
    with BpfObject(code, "root") as loaded:
        loaded.patch_rodata(patches)
        loaded.load()
        for dummy, program in loaded.programs():
            with program:
                program.pin(str(paths.root(pipeline)))
        for map_name, found in loaded.maps():
            with found:
                if map_name in ("slots", "empty_slot"):
                    found.pin(str(paths.pipeline(pipeline) / map_name))


def _files(paths: Paths) -> None:
    said = json.loads((FILES / "source.json").read_text(encoding="utf-8"))
    for origin, copy in (
        ("record.json", paths.run / "instances" / "scrubber" / f"{GENERATION}.json"),
        ("source.json", paths.state / "sources" / "scrubber" / f"{GENERATION}.json"),
        ("scrubber.bpf.o", paths.state / "objects" / f"{said['object']}.bpf.o"),
        ("root.bpf.o", paths.state / "objects" / f"{said['root']}.bpf.o"),
    ):
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FILES / origin, copy)
