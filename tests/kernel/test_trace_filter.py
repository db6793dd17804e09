# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that the kernel runs takes the packets that libpcap itself takes, and no others."""

from __future__ import annotations

import ctypes
import random
from typing import Iterator, List, Sequence

import pytest

from tests.depth import times
from tests.pipelines import support
from tests.probes import requires, requires_bpf
from wirespeed.errors import Place
from wirespeed.gather import built_in_tracers
from wirespeed.kernel import pcap
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.kernel.pcap import Row
from wirespeed.trace.options import Options
from wirespeed.trace.tracer import Choice, Tracer

pytestmark = [requires_bpf, requires("clang", "libpcap")]

SEED = 20261126
PACKETS = times("WIRESPEED_FILTER_PACKETS", 150, 3000)
PROGRAMS = times("WIRESPEED_FILTER_PROGRAMS", 400, 20000)
ROOM = 256
REJECT: Row = (0x06, 0, 0, 0)
EXPRESSIONS = (
    "ip",
    "ip6",
    "arp",
    "tcp",
    "udp port 53",
    "tcp dst port 443",
    "portrange 1000-2000",
    "host 192.0.2.1",
    "src net 192.0.2.0/24 and not dst net 203.0.113.0/24",
    "ip6 and src net 2001:db8::/32",
    "icmp or icmp6",
    "vlan and ip",
    "vlan 7 and udp",
    "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
    "ip[8] < 5",
    "ip[2:2] > 100 and ip[2:2] != len",
    "len > 200",
    "greater 128 and less 512",
    "ether src host 02:00:00:00:00:01",
    "ether broadcast or ether multicast",
    "udp[8:4] = 0x01020304",
    "ip and (ip[6:2] & 0x1fff) != 0",
    "ip proto 47 or ip proto 50",
    "ether[12:2] >= 0x8000 and ether[100] = 7",
    "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
    "(ip[0] & 0xf) * 4 + ip[9] > 30",
    "mpls 1",
    "pppoes",
)


class _Header(ctypes.Structure):
    """struct pcap_pkthdr, pcap/pcap.h."""

    _fields_ = [
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("captured", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
    ]


class Kernel:
    """A tracer whose filter is exchanged between packets."""

    def __init__(self) -> None:
        constants = {"rows": ROOM, "snaplen": 16384, "window": 16384, "cpus": 1, "sample": 1}
        support()
        self._tracer = Tracer(built_in_tracers()["trace"], "trace", Choice(constants, ()), Options("none"))
        self._program: BpfProgram = self._tracer.load()

    def use(self, rows: Sequence[Row]) -> None:
        padded = [*rows, *[REJECT] * (ROOM - len(rows))]
        self._tracer.maps["filter"].update_many([(_key(i), pcap.packed(row)) for i, row in enumerate(padded)])

    def takes(self, packet: bytes) -> bool:
        self._program.test_run(packet)
        return bool(self._tracer.take(8))

    def close(self) -> None:
        self._program.close()
        self._tracer.close()


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    yield made
    made.close()


def _key(number: int) -> bytes:
    return number.to_bytes(4, "little")


def program(rows: Sequence[Row]) -> pcap.Program:
    packed = b"".join(map(pcap.packed, rows))
    kept = ctypes.create_string_buffer(packed, len(packed))
    made = pcap.Program(len(rows), ctypes.addressof(kept))
    made.kept = kept
    return made


def libpcap_takes(rows: pcap.Program, packet: bytes) -> bool:
    header = _Header(0, 0, len(packet), len(packet))
    return pcap.library().pcap_offline_filter(ctypes.byref(rows), ctypes.byref(header), packet) != 0


def some_packets(source: random.Random, number: int) -> Iterator[bytes]:
    """Frames that look like traffic: what filters ask for is often there, and often not; some are cut off."""
    for dummy in range(number):
        macs = source.choice([b"\xff" * 6, b"\1\0\x5e\0\0\1", source.randbytes(6)]) + b"\2\0\0\0\0\1"
        tags = source.choice([b"", b"", b"\x81\0\0\7", b"\x81\0\x20\x07\x81\0\0\x64", b"\x88\x47\0\0\x11\xff"])
        frame = macs + tags + source.choice([_v4, _v4, _v6, _other])(source)
        yield frame[: max(14, source.choice([len(frame), len(frame), source.randrange(14, 80)]))]


def _v4(source: random.Random) -> bytes:
    options = source.choice([0, 0, 4, 8])
    load = _transport(source)
    first = bytes([0x45 + options // 4, 0]) + (20 + options + len(load)).to_bytes(2, "big") + source.randbytes(2)
    fragment = source.choice([b"\0\0", b"\0\0", b"\x20\0", b"\0\x64"])
    ttl = bytes([source.choice([1, 64, 255]), source.choice([1, 6, 17, 17, 47])])
    ends = source.choice([b"\xc0\0\2\1", source.randbytes(4)]) + source.choice([b"\xcb\0\x71\7", source.randbytes(4)])
    return b"\x08\0" + first + fragment + ttl + source.randbytes(2) + ends + bytes(options) + load


def _v6(source: random.Random) -> bytes:
    load = _transport(source)
    ends = source.choice([b"\x20\1\x0d\xb8", source.randbytes(4)]) + source.randbytes(28)
    kind = bytes([source.choice([6, 17, 58, 44, 0]), 64])
    return b"\x86\xdd\x60\0\0\0" + len(load).to_bytes(2, "big") + kind + ends + load


def _other(source: random.Random) -> bytes:
    return source.choice([b"\x08\6", b"\x88\x64", b"\x90\0", b"\0\x40"]) + source.randbytes(source.randrange(64))


def _transport(source: random.Random) -> bytes:
    ports = b"".join(source.choice([53, 443, 1500, 40000]).to_bytes(2, "big") for dummy in range(2))
    said = source.choice([b"\1\2\3\4", b"GET ", source.randbytes(4)])
    rest = source.randbytes(8) + bytes([source.choice([0x50, 0x60]), source.choice([2, 16, 18])]) + source.randbytes(6)
    return ports + source.choice([rest, source.randbytes(4)]) + said + source.randbytes(source.choice([0, 40, 600]))


def test_it_takes_what_tcpdump_would(kernel: Kernel) -> None:
    packets = list(some_packets(random.Random(SEED), PACKETS))
    differing: List[str] = []
    taken = 0
    for expression in EXPRESSIONS:
        rows = pcap.compiled(expression, Place("test"))
        theirs = program(rows)
        kernel.use(rows)
        for packet in packets:
            wanted = libpcap_takes(theirs, packet)
            taken += wanted
            if kernel.takes(packet) != wanted:
                differing.append(f"{expression}: {packet.hex()}")
    assert differing == []
    assert len(packets) < taken < len(packets) * len(EXPRESSIONS)


def test_it_runs_any_program_as_libpcap_does(kernel: Kernel) -> None:
    source = random.Random(SEED)
    differing: List[str] = []
    for dummy in range(PROGRAMS):
        rows, packet = some_program(source), source.randbytes(source.randrange(14, 120))
        kernel.use(rows)
        if kernel.takes(packet) != libpcap_takes(program(rows), packet):
            differing.append(f"{rows}: {packet.hex()}")
    assert differing == []


LOADS = (0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x00, 0x60)  # ld w, h, b: absolute, indirect; len, imm, mem
INTO_X = (0xB1, 0x81, 0x01, 0x61)  # ldxb 4*([k]&0xf), len, imm, mem
CELLS = 16
NEGATE = 0x84
SUMS = (NEGATE, *(operation | source | 0x04 for operation in (*range(0, 0x80, 0x10), 0x90, 0xA0) for source in (0, 8)))
JUMPS = tuple(operation | source | 0x05 for operation in (0x10, 0x20, 0x30, 0x40) for source in (0, 8))


def some_program(source: random.Random) -> List[Row]:
    """A valid one: jumps stay within it, it reads no memory that it has not written, and it ends with an answer."""
    length = source.randrange(2, 40)
    rows = [_some_row(source, length - number - 2) for number in range(length - 1)]
    written: List[Row] = [(0x02, 0, 0, cell) for cell in range(CELLS)]
    return [*written, *rows, source.choice([(0x06, 0, 0, 1), (0x16, 0, 0, 0)])]


def _some_row(source: random.Random, left: int) -> Row:
    kind = source.choice("llxxssssjjjm")
    if kind == "l":
        code = source.choice(LOADS)
        return (code, 0, 0, _operand(source, code))
    if kind == "x":
        code = source.choice(INTO_X)
        return (code, 0, 0, _operand(source, code))
    if kind == "s":
        code = source.choice(SUMS)
        constant = source.choice([1, 2, 3, 31, 255, 2**31, source.getrandbits(32)])
        shift = code & 0xF0 in (0x60, 0x70)
        return (code, 0, 0, constant % 32 if shift else constant)
    if kind == "j":
        if source.random() < 0.1:
            return (0x05, 0, 0, source.randrange(left + 1))
        ways = source.randrange(left + 1), source.randrange(left + 1)
        return (source.choice(JUMPS), *ways, source.choice([0, 1, 255, source.getrandbits(32)]))
    return source.choice([(0x07, 0, 0, 0), (0x87, 0, 0, 0), (0x02, 0, 0, source.randrange(CELLS)), (0x03, 0, 0, 3)])


def _operand(source: random.Random, code: int) -> int:
    mode = code & 0xE0
    if mode == 0x60:
        return source.randrange(CELLS)
    return source.getrandbits(32) if mode == 0x00 else source.choice([0, 12, 14, source.randrange(130), 2**32 - 2])
