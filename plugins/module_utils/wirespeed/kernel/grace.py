# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until no packet is in a program any more that was replaced before the call."""

from __future__ import annotations

from .bpf_map import ARRAY, ARRAY_OF_MAPS, BpfMap

_FIRST = b"\0\0\0\0"


def wait_for_programs() -> None:
    """An RCU grace period, some ten milliseconds. Raises KernelRefusal.

    An update of a map of maps returns after one (kernel/bpf/syscall.c, maybe_wait_bpf_programs, since 4.18), on every
    kernel; membarrier(2) refuses to wait for one where CPUs run without a tick.
    """
    with BpfMap.create(ARRAY, "ws_grace", (4, 4), 1) as inner:
        with BpfMap.create(ARRAY_OF_MAPS, "ws_grace_outer", (4, 4), 1, inner) as outer:
            outer.update(_FIRST, inner.fd.to_bytes(4, "little"))
