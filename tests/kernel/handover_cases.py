# SPDX-License-Identifier: GPL-3.0-or-later
"""A pipeline that keeps flows and counts verdicts, in many layouts, and traffic that it counts meanwhile."""

from __future__ import annotations

import select
import signal
import struct
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

from tests.pipelines import small
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.model.nic import XdpMode
from wirespeed.pipeline import instance
from wirespeed.pipeline.source import PipelineSource

from .frames import ETH_P_IP, ethernet, ipv4
from .netns import Veth
from .pipelines_here import Node, attach_step, load_step, publish_step

PATIENCE = 60.0
MEMBERS = "__u64 packets; __u64 bytes; __u64 first_seen;"
PROGRAM = """
struct flow { %(members)s };
%(map)s
SEC("xdp") int small(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 34 > end || *(__u16 *)(data + 12) != 0x0008)
		return XDP_PASS;
	__u32 key = __builtin_bswap32(*(__u32 *)(data + 26));
	struct flow fresh = {};
	fresh.first_seen = 1;
	struct flow *flow = %(get)s;
	if (flow) {
		__sync_fetch_and_add(&flow->packets, 1);
		__sync_fetch_and_add(&flow->bytes, end - data);
	}
	return XDP_DROP;
}
char _license[] SEC("license") = "GPL";
"""
SDK = "WS_STATE(%(type)s, flows, __u32, struct flow, %(entries)d);"
PLAIN = """
WS_MAP(%(type)s, flows, __u32, struct flow, %(entries)d, 0);
static __always_inline struct flow *flow_of(const __u32 *key, const struct flow *fresh)
{
	struct flow *flow = bpf_map_lookup_elem(&flows, key);

	if (flow)
		return flow;
	bpf_map_update_elem(&flows, key, fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&flows, key);
}
"""
LRU, HASH, PERCPU = "BPF_MAP_TYPE_LRU_HASH", "BPF_MAP_TYPE_HASH", "BPF_MAP_TYPE_PERCPU_HASH"


def flows(
    members: str = MEMBERS, kind: str = HASH, entries: int = 1024, sdk: bool = True, version: str = "1", **spec: Any
) -> PipelineSource:
    """The flow pipeline. ``spec`` is what its manifest says of the map."""
    said = {"type": kind, "entries": entries}
    declared, get = (SDK, "flows_lookup_or_init(&key, &fresh)") if sdk else (PLAIN, "flow_of(&key, &fresh)")
    code = PROGRAM % {"members": members, "map": declared % said, "get": get}
    if sdk:
        spec.setdefault("sums", ["packets", "bytes"])
    return small(code, version=version, maps={"flows": {"role": "state", **spec}})


@dataclass(frozen=True)
class Flow:
    packets: int
    bytes: int
    first_seen: int


def offsets(source: PipelineSource) -> Dict[str, int]:
    """Where each member of a flow lies, in bytes."""
    leaves = source.btf.leaves(source.maps["flows"].value_type)
    return {leaf.path: leaf.offset // 8 for leaf in leaves}


def reader(source: PipelineSource) -> Callable[[bytes], Flow]:
    """Decodes a value by the layout that the object has."""
    leaves = {leaf.path: leaf for leaf in source.btf.leaves(source.maps["flows"].value_type)}
    places = [(leaves[name].offset // 8, leaves[name].bits // 8) for name in ("packets", "bytes", "first_seen")]
    return lambda value: Flow(*(int.from_bytes(value[at : at + size], "little") for at, size in places))


def opened(source: PipelineSource, name: str = "flows") -> BpfMap:
    return instance.open_map(Node().paths, "small", source.generation, name)


def read(source: PipelineSource, name: str = "flows") -> Dict[int, Flow]:
    decode = reader(source)
    with opened(source, name) as found:
        return {int.from_bytes(key, "little"): decode(value) for key, value in found.items()}


def fill(source: PipelineSource, entries: Dict[int, Flow]) -> None:
    """In the layout of :data:`MEMBERS`."""
    value = struct.Struct("<QQQ")
    pairs = [
        (key.to_bytes(4, "little"), value.pack(flow.packets, flow.bytes, flow.first_seen))
        for key, flow in entries.items()
    ]
    with opened(source) as found:
        found.update_many(pairs)


def load(source: PipelineSource) -> None:
    Node(source).do(load_step(source))


def publish(source: PipelineSource) -> None:
    node = Node(source)
    node.do(publish_step("small", instance.published(node.paths, "small"), source.generation))


def reload(source: PipelineSource) -> None:
    load(source)
    publish(source)


def run_frame(source: int, times: int = 1) -> None:
    """A frame from this address through the root, as often as that."""
    with Node().root("small") as root:
        root.test_run(frame(source), repeat=times)


def frame(source: int, destination: str = "198.51.100.1") -> bytes:
    address = ".".join(str(part) for part in source.to_bytes(4, "big"))
    return ethernet(ETH_P_IP, ipv4(address, destination=destination))


def attach(ifname: str) -> None:
    Node().do(attach_step(ifname, "small", XdpMode.NATIVE))


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        select.select([], [], [], 0.001)
    return condition()


@dataclass
class Traffic:
    """Two senders, each on its own CPU where there are two; both send the same sources to different destinations, so
    that one entry is counted in by several queues at once."""

    veth: Veth
    sender: Path
    first: int
    addresses: int
    processes: List["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> None:
        for number in range(2):
            argv = self.veth.wire.inside(str(self.sender), self.veth.wire_ifname, str(self.addresses))
            process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.processes.append(process)
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(frame(self.first, f"198.51.100.{number + 1}"))
            process.stdin.close()
        for process in self.processes:
            assert process.stdout is not None and process.stdout.readline() == b"sending\n"

    def stop(self) -> int:
        """How many frames the kernel took."""
        taken = 0
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            assert process.stdout is not None
            taken += int(process.stdout.read().split()[0])
        return taken

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@contextmanager
def traffic(veth: Veth, sender: Path, first: int, addresses: int) -> Iterator[Traffic]:
    made = Traffic(veth, sender, first, addresses)
    with ExitStack() as stack:
        stack.callback(made.end)
        made.start()
        yield made


def counts(source: PipelineSource, names: Sequence[str]) -> Dict[str, Tuple[int, int]]:
    """Packets and bytes of each verdict by its name."""
    return dict(zip(names, Node().verdicts(source)))
