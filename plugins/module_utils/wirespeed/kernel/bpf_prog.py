# SPDX-License-Identifier: GPL-3.0-or-later
"""A loaded BPF program: what it is, which maps it uses, and a run on a packet of ours."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Tuple

from . import libbpf
from .libbpf import Handle, Options, call, fields, function

XDP = 6  # enum bpf_prog_type
BPF_XDP = 37  # enum bpf_attach_type
MAX_MAPS = 64  # MAX_USED_MAPS, include/linux/bpf.h
_INSTRUCTION = 8  # bytes
_ROOM_FOR_GROWTH = 512  # an XDP program may push headers


class _Info(ctypes.Structure):
    """The front of struct bpf_prog_info, include/uapi/linux/bpf.h."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("tag", ctypes.c_uint8 * 8),
        ("jited_prog_len", ctypes.c_uint32),
        ("xlated_prog_len", ctypes.c_uint32),
        ("jited_prog_insns", ctypes.c_uint64),
        ("xlated_prog_insns", ctypes.c_uint64),
        ("load_time", ctypes.c_uint64),
        ("created_by_uid", ctypes.c_uint32),
        ("nr_map_ids", ctypes.c_uint32),
        ("map_ids", ctypes.c_uint64),
        ("name", ctypes.c_char * 16),
        ("ifindex", ctypes.c_uint32),
        ("gpl_compatible", ctypes.c_uint32),
        ("netns_dev", ctypes.c_uint64),
        ("netns_ino", ctypes.c_uint64),
        ("nr_jited_ksyms", ctypes.c_uint32),
        ("nr_jited_func_lens", ctypes.c_uint32),
        ("jited_ksyms", ctypes.c_uint64),
        ("jited_func_lens", ctypes.c_uint64),
        ("btf_id", ctypes.c_uint32),
    ]


class _RunOptions(Options):
    _fields_ = fields(
        ("data_in", ctypes.c_void_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("ctx_in", ctypes.c_void_p),
        ("ctx_out", ctypes.c_void_p),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    )


@dataclass(frozen=True)
class ProgInfo:
    """``name`` is cut to 15 characters by the kernel; ``load_time`` is ns since boot; ``btf_id`` 0: without BTF;
    ``instructions`` are what the verifier has made of it."""

    id: int
    name: str
    type: int
    tag: str
    load_time: int
    map_ids: Tuple[int, ...]
    btf_id: int = 0
    instructions: int = 0


@dataclass(frozen=True)
class TestRun:
    """``action`` is the program's return value, ``frame`` what became of the packet,
    ``nanoseconds`` the mean time of one run."""

    __test__ = False

    action: int
    frame: bytes
    nanoseconds: int


class BpfProgram(Handle):
    KIND = "bpf-prog"
    _BY_ID = "bpf_prog_get_fd_by_id"

    @property
    def info(self) -> ProgInfo:
        maps = (ctypes.c_uint32 * MAX_MAPS)()
        raw = _Info(nr_map_ids=MAX_MAPS, map_ids=ctypes.addressof(maps))
        libbpf.object_info(self, raw)
        used = tuple(maps[: min(raw.nr_map_ids, MAX_MAPS)])
        tag, instructions = bytes(raw.tag).hex(), raw.xlated_prog_len // _INSTRUCTION
        return ProgInfo(raw.id, raw.name.decode(), raw.type, tag, raw.load_time, used, raw.btf_id, instructions)

    def attach_to_exit(self) -> Handle:
        """Begins to run a program that was loaded for another one's exit, until what is returned is closed."""
        begin = function("bpf_raw_tracepoint_open", ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
        return Handle(call(f"attaching {self.name} by fexit", begin(None, self.fd)), f"fexit {self.name}")

    def test_run(self, frame: bytes, repeat: int = 1) -> TestRun:
        """BPF_PROG_TEST_RUN on ``frame`` (at least 14 bytes); counts in maps like real traffic."""
        frame_in = ctypes.create_string_buffer(frame, len(frame))
        frame_out = ctypes.create_string_buffer(len(frame) + _ROOM_FOR_GROWTH)
        options = _RunOptions(
            data_in=ctypes.addressof(frame_in),
            data_size_in=len(frame),
            data_out=ctypes.addressof(frame_out),
            data_size_out=len(frame_out),
            repeat=repeat,
        )
        run = function("bpf_prog_test_run_opts", ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
        call(f"BPF_PROG_TEST_RUN {self.name}", run(self.fd, ctypes.byref(options)))
        return TestRun(options.retval, frame_out.raw[: options.data_size_out], options.duration)

    def run(self, context: bytes) -> bytes:
        """Runs a program of SEC("syscall") once and returns its context afterwards.

        The kernel writes it back over what it was given (net/bpf/test_run.c, bpf_prog_test_run_syscall).
        """
        buffer = ctypes.create_string_buffer(context, len(context))
        options = _RunOptions(ctx_in=ctypes.addressof(buffer), ctx_size_in=len(context))
        run = function("bpf_prog_test_run_opts", ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
        call(f"BPF_PROG_RUN {self.name}", run(self.fd, ctypes.byref(options)))
        return buffer.raw
