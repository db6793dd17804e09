# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes that bcc compiles on the node: why the stack drops packets of a NIC, and how late its softirqs begin.

Needs bcc and the headers of the running kernel; nothing else here does. The layouts that the probes read come from
the kernel's own BTF, so headers that are not quite the kernel's mislead nobody. Tracepoints: skb:kfree_skb with its
reason (include/trace/events/skb.h, Linux 5.17), irq:softirq_raise and softirq_entry, napi:napi_poll.
"""

from __future__ import annotations

import os
import platform
import tempfile
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Type

from ..errors import MissingPrerequisite, NotSupported
from ..kernel.btf import ENUM, STRUCT, UNION, Btf
from .evidence import Deep, Waits

_BTF = Path("/sys/kernel/btf/vmlinux")
_MODULES, _BUILT_IN = Path("/lib/modules"), Path("/sys/kernel/kheaders.tar.xz")
_REASONS, _PREFIX = "skb_drop_reason", "SKB_DROP_REASON_"
_SLOTS = 32
_PROGRAM = """
#define NET_RX 3
struct waits { u64 raised; u64 slots[32]; };
BPF_HASH(reasons, u32, u64, 1024);
BPF_PERCPU_ARRAY(waits, struct waits, 1);
BPF_PERCPU_ARRAY(polls, u64, 2);

/* Containers number their devices from 1 again, so the namespace decides too. */
static inline bool ours(u64 dev)
{
    u32 index = 0, namespace = 0;
    u64 net = 0;

    bpf_probe_read_kernel(&index, sizeof(index), (void *)(dev + NET_DEVICE_IFINDEX));
    bpf_probe_read_kernel(&net, sizeof(net), (void *)(dev + NET_DEVICE_ND_NET));
    bpf_probe_read_kernel(&namespace, sizeof(namespace), (void *)(net + NET_NS_INUM));
    return index == WATCHED && namespace == NAMESPACE;
}

RAW_TRACEPOINT_PROBE(kfree_skb)
{
    u64 skb = ctx->args[0], dev = 0;
    u32 came = 0, reason = ctx->args[2];

    bpf_probe_read_kernel(&came, sizeof(came), (void *)(skb + SK_BUFF_SKB_IIF));
    bpf_probe_read_kernel(&dev, sizeof(dev), (void *)(skb + SK_BUFF_DEV));
    if (dev ? ours(dev) : came == WATCHED) /* TCP forgets the device */
        reasons.atomic_increment(reason);
    return 0;
}

RAW_TRACEPOINT_PROBE(softirq_raise)
{
    int only = 0;
    struct waits *mine = waits.lookup(&only);

    if (mine && (u32)ctx->args[0] == NET_RX && !mine->raised)
        mine->raised = bpf_ktime_get_ns();
    return 0;
}

RAW_TRACEPOINT_PROBE(softirq_entry)
{
    int only = 0;
    struct waits *mine = waits.lookup(&only);
    u64 microseconds;

    if (!mine || (u32)ctx->args[0] != NET_RX || !mine->raised)
        return 0;
    microseconds = (bpf_ktime_get_ns() - mine->raised) / 1000;
    mine->raised = 0;
    mine->slots[bpf_log2l(microseconds) & 31]++;
    return 0;
}

RAW_TRACEPOINT_PROBE(napi_poll)
{
    u64 dev = 0, *count;
    int work = ctx->args[1], budget = ctx->args[2], each = 0;

    bpf_probe_read_kernel(&dev, sizeof(dev), (void *)(ctx->args[0] + NAPI_STRUCT_DEV));
    if (!ours(dev))
        return 0;
    count = polls.lookup(&each);
    if (count)
        (*count)++;
    each = 1;
    count = polls.lookup(&each);
    if (count && work >= budget)
        (*count)++;
    return 0;
}
"""
_MEMBERS = (
    ("net_device", "ifindex"),
    ("net_device", "nd_net"),
    ("net", "ns", "inum"),
    ("sk_buff", "skb_iif"),
    ("sk_buff", "dev"),
    ("napi_struct", "dev"),
)
_OUR_NAMESPACE = Path("/proc/self/ns/net")


class DeepProbes:
    """Entering compiles, which takes seconds. Raises :class:`MissingPrerequisite` without bcc or headers, and
    :class:`NotSupported` on a kernel without BTF, or that does not take the probes."""

    def __init__(self, ifindex: int) -> None:
        self._ifindex = ifindex
        self._reasons: Mapping[int, str] = {}
        self._probes: Any = None

    def __enter__(self) -> DeepProbes:
        bpf = _bcc()
        _require_headers()
        defines, self._reasons = _of_kernel()
        defines.update(WATCHED=self._ifindex, NAMESPACE=_OUR_NAMESPACE.stat().st_ino)
        flags = [f"-D{name}={value}" for name, value in defines.items()]
        with _words_of_the_compiler() as words:
            try:
                self._probes = bpf(text=_PROGRAM, cflags=["-w", *flags])
            except Exception as error:  # pylint: disable=broad-exception-caught  # bcc raises no class of its own
                raise NotSupported(f"bcc ({error}; {words() or 'it said nothing more'})") from None
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._probes is not None:
            self._probes.cleanup()

    def seen(self) -> Deep:
        """Since it was entered."""
        polls = self._probes["polls"]
        sums = [sum(polls[polls.Key(each)]) for each in range(2)]
        reasons = {self._name(key.value): count.value for key, count in self._probes["reasons"].items()}
        waits = self._probes["waits"]
        each = enumerate(waits[waits.Key(0)])
        told = {cpu: Waits(tuple(mine.slots[slot] for slot in range(_SLOTS))) for cpu, mine in each}
        return Deep(reasons, {cpu: found for cpu, found in told.items() if found.times}, sums[0], sums[1])

    def _name(self, reason: int) -> str:
        return self._reasons.get(reason, f"reason {reason}")


def _bcc() -> Any:
    try:
        from bcc import BPF
    except ImportError:
        raise MissingPrerequisite(
            "bcc's Python library is missing.", "Install python3-bpfcc (Debian, Ubuntu) or python3-bcc (Fedora, RHEL)."
        ) from None
    return BPF


def _require_headers() -> None:
    release = platform.release()
    given = os.environ.get("BCC_KERNEL_SOURCE", "")
    if not (given or _BUILT_IN.exists() or (_MODULES / release / "build").is_dir()):
        raise MissingPrerequisite(
            f"The headers of kernel {release} are missing.",
            f"Install linux-headers-{release} (Debian, Ubuntu) or kernel-devel-{release} (Fedora, RHEL).",
        )


def _of_kernel() -> Tuple[Dict[str, int], Dict[int, str]]:
    """Where the members lie that the probes read, in bytes; and the names of the reasons."""
    try:
        types = Btf(_BTF.read_bytes())
        offsets = {
            "_".join((struct, *path)).upper(): _offset(types, types.find(struct, STRUCT), path) // 8
            for struct, *path in _MEMBERS
        }
        reasons = types.enumerators(types.find(_REASONS, ENUM))
    except OSError:
        raise NotSupported(f"{_BTF} (the kernel keeps no BTF)") from None
    except KeyError as lacking:
        raise NotSupported(f"the kernel's {lacking} (older than the reasons of drops, Linux 5.17)") from None
    return offsets, {number: name.replace(_PREFIX, "", 1) for name, number in reasons.items()}


def _offset(types: Btf, number: int, path: Sequence[str], base: int = 0) -> int:
    """Of a member, in bits; those of structs and unions without a name are its owner's. Raises KeyError."""
    wanted, *further = path
    for member in types.types[types.plain(number)].members:
        name, kind, offset = types.string(member[0]), member[1], base + (member[2] & 0xFFFFFF)
        if name == wanted:
            return _offset(types, kind, further, offset) if further else offset
        if not name and types.types[types.plain(kind)].kind in (STRUCT, UNION):
            try:
                return _offset(types, kind, path, offset)
            except KeyError:
                continue
    raise KeyError(wanted)


@contextmanager
def _words_of_the_compiler() -> Iterator[Any]:
    """bcc's compiler writes to standard error by itself: kept, and told by its first error."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)

        def words() -> str:
            file.seek(0)
            lines: List[str] = file.read().decode("utf-8", "replace").splitlines()
            return next((line.strip() for line in lines if "error" in line.lower()), "")

        try:
            yield words
        finally:
            os.dup2(kept, 2)
            os.close(kept)
