# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a new generation differs from another in one stage alone, so that this stage's slot is all there is to write.

Pure: compares two objects, program by program, with what their relocations point to. What programs say of themselves
(``bpf_metadata_*``) may differ; everything else that a program could meet must not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Optional, Tuple

from ..kernel.bpf_map import PROG_ARRAY
from ..kernel.elf import Reference
from . import metadata
from .constants import SECTION as RODATA
from .manifest import Manifest
from .source import PipelineSource
from .trace_words import TraceWords

_SAID_ELSEWHERE = (".BTF", ".BTF.ext", ".symtab", ".strtab", ".shstrtab", ".llvm_addrsig", RODATA, "")
_DEBUGGING = (".debug_", ".rel.debug_")

Code = Tuple[bytes, Tuple[Reference, ...]]


def only_stage(old: PipelineSource, new: PipelineSource) -> Optional[str]:
    """The one stage that differs; None when more does, when nothing does, or when no program array holds stages."""
    if old.configured != new.configured:
        return None
    if _settings(old.manifest) != _settings(new.manifest) or _maps(old) != _maps(new) or _rest(old) != _rest(new):
        return None
    if not any(found.type == PROG_ARRAY for found in new.maps.values()):
        return None
    before, after = _programs(old), _programs(new)
    changed = [name for name in after if before[name] != after[name]]
    return changed[0] if len(changed) == 1 and changed[0] in new.manifest.stages else None


def _settings(manifest: Manifest) -> Manifest:
    """What the generations must have alike; constants are compared where they are, in .rodata."""
    return replace(
        manifest,
        version="",
        description="",
        object="",
        tests=(),
        health=None,
        constants={},
        trace=TraceWords(),
        entities=None,
    )


def _maps(source: PipelineSource) -> Dict[str, Any]:
    def leaves(kind: int) -> Any:
        return source.btf.leaves(kind) if kind else ()

    return {
        name: (replace(found, key_type=0, value_type=0), leaves(found.key_type), leaves(found.value_type))
        for name, found in source.maps.items()
    }


def _rest(source: PipelineSource) -> Dict[str, Any]:
    """All sections but those of programs, and .rodata as it will be loaded."""
    code = set(source.elf.programs().values())
    apart = {*code, *_SAID_ELSEWHERE, *(f".rel{name}" for name in (*code, ".BTF", ".BTF.ext", ".text", ".maps"))}
    rest: Dict[str, Any] = {
        found.name: (found.data, found.size)
        for found in source.elf.sections
        if found.name not in apart and not found.name.startswith(_DEBUGGING)
    }
    rest.update({f".rel{name}": source.elf.references(name) for name in (".text", ".maps")})
    return {**rest, RODATA: _constants(source)}


def _constants(source: PipelineSource) -> bytes:
    data = bytearray(source.elf.section(RODATA))
    for offset, value in source.rodata.items():
        data[offset : offset + len(value)] = value
    for symbol in source.elf.symbols:
        if symbol.section == RODATA and symbol.name.startswith(metadata.PREFIX):
            data[symbol.offset : symbol.offset + symbol.size] = bytes(symbol.size)
    return bytes(data)


def _programs(source: PipelineSource) -> Dict[str, Code]:
    elf, found = source.elf, {}
    for name in source.manifest.programs:
        function = elf.function(name)
        end = function.offset + function.size
        references = (
            replace(each, offset=each.offset - function.offset)
            for each in elf.references(function.section)
            if function.offset <= each.offset < end
        )
        found[name] = (elf.section(function.section)[function.offset : end], tuple(references))
    return found
