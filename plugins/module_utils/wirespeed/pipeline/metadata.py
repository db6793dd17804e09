# SPDX-License-Identifier: GPL-3.0-or-later
"""What a loaded program says of itself: its ``.rodata`` variables, read back from the kernel."""

from __future__ import annotations

from typing import Dict

from ..kernel import btf as btfs
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_prog import BpfProgram
from . import constants

PREFIX = "bpf_metadata_wirespeed_"
_FIRST = b"\0\0\0\0"


def read(program: BpfProgram) -> Dict[str, object]:
    """All variables by name, numbers and texts; empty when the program has no .rodata with BTF."""
    for map_id in program.info.map_ids:
        with BpfMap.by_id(map_id) as found:
            if found.info.name.endswith(constants.SECTION) and found.info.btf_id:
                return constants.decode(found.lookup(_FIRST) or b"", btfs.of_kernel(found.info.btf_id))
    return {}
