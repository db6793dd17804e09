# SPDX-License-Identifier: GPL-3.0-or-later
"""A timer of one CPU that beats while this is open, from that CPU's own timer interrupt (perf_event_open(2)).

The kernel's software event cpu-clock is a timer of the CPU: it goes on while the CPU is idle or in a softirq, and is
late only when the CPU takes no interrupts (kernel/events/core.c perf_swevent_hrtimer).
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from ..errors import NotSupported
from .libbpf import Handle
from .netlink import refusal

_NUMBERS = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "ppc64le": 319, "s390x": 331}
_ATTRIBUTES = struct.Struct("=IIQQQQQIIQ")  # struct perf_event_attr as of PERF_ATTR_SIZE_VER0
_SOFTWARE, _CPU_CLOCK = 1, 0
_EVERY_TASK, _NO_GROUP, _CLOSE_ON_EXEC = -1, -1, 1 << 3


class CpuClock(Handle):
    """Beats until it is closed."""

    KIND = "perf-event"

    @classmethod
    def start(cls, cpu: int, period_ns: int) -> "CpuClock":
        """Raises :class:`NotSupported` on a machine whose number of the call is not
        known, KernelRefusal where the kernel does not let us (EACCES: kernel.perf_event_paranoid without the right)."""
        number = _NUMBERS.get(platform.machine())
        if number is None:
            raise NotSupported(f"perf_event_open on {platform.machine()}")
        asked = _ATTRIBUTES.pack(_SOFTWARE, _ATTRIBUTES.size, _CPU_CLOCK, period_ns, 0, 0, 0, 0, 0, 0)
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.syscall(ctypes.c_long(number), asked, _EVERY_TASK, cpu, _NO_GROUP, ctypes.c_ulong(_CLOSE_ON_EXEC))
        if fd < 0:
            raise refusal(f"perf_event_open cpu-clock of CPU {cpu}", ctypes.get_errno() or errno.EIO)
        return cls(fd, f"CPU {cpu}")
