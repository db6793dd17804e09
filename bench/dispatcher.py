# SPDX-License-Identifier: GPL-3.0-or-later
"""libxdp's own dispatcher with its first slot in use, but nothing put into it: the slot's stub runs.

Programs come into slots by freplace, which not every kernel loads. The way to the stub and back is the same.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Optional

from wirespeed.kernel.bpf_object import BpfObject
from wirespeed.kernel.bpf_prog import BpfProgram

PROGRAM = "xdp_dispatcher"
# struct xdp_dispatcher_config of xdp-tools 1.3 to 1.5, headers/xdp/prog_dispatcher.h: the whole of .rodata.
_CONFIG = struct.Struct("=4B10I10I10I")
_MAGIC, _VERSION = 236, 2
_PASS, _STUB = 1 << 2, 1 << 31  # chain_call_actions: XDP_PASS, and XDP_DISPATCHER_RETVAL, which a stub returns


def packaged() -> Optional[Path]:
    """libxdp's object in Debian's package, under the library folder of this machine's kind."""
    return next(Path("/usr/lib").glob("*/bpf/xdp-dispatcher.o"), None)


def with_stub(path: Path) -> BpfProgram:
    """Raises the errors of loading. The handle is the caller's to close."""
    zeros = [0] * 9
    config = _CONFIG.pack(_MAGIC, _VERSION, 1, 0, _PASS | _STUB, *zeros, 50, *zeros, 0, *zeros)
    with BpfObject(path.read_bytes(), "dispatcher") as loaded:
        loaded.only([PROGRAM])
        loaded.patch_rodata({0: config})
        loaded.load()
        return next(program for name, program in loaded.programs() if name == PROGRAM)
